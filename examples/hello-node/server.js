// Says hello, and which commit it is. Nothing to install: Node brings all that this needs.
import { createServer } from "node:http";

const port = Number(process.env.PORT ?? 8000);
const commit = (process.env.WINDLASS_COMMIT ?? "").slice(0, 12) || "none";
const started = new Date();

const page = () => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Hello from Node</title>
<style>
  :root { color-scheme: light dark; font: 1.125rem/1.6 system-ui, sans-serif }
  body { display: grid; place-content: center; min-height: 100dvh; margin: 0; padding: 1rem; text-align: center }
  h1 { font-size: clamp(2rem, 8vw, 4rem); line-height: 1.1; margin: 0 }
  p { margin: 0.5rem 0 0; opacity: 0.75 }
</style>
<h1>Hello from Node</h1>
<p>commit <code>${commit}</code>, Node ${process.versions.node}, up for ${Math.round(process.uptime())} s</p>
`;

const server = createServer((request, response) => {
  if (request.url === "/api") {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ hello: "Node", commit, started }));
    return;
  }
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
  response.end(page());
});

server.listen(port, "0.0.0.0", () => console.log(`Listening on port ${port}`));

// What was asked is answered before the end: that is all a replaced version has to do.
process.on("SIGTERM", () => server.close(() => process.exit(0)));
