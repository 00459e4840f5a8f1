// Makes ../windlass_gateway/static from src/ and node_modules: `make assets` runs it. Each file carries the beginning of
// its SHA-256 in its name, so that browsers may keep it for ever; manifest.json says what is called how.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const HERE = import.meta.dirname;
const OUT = path.join(HERE, "../windlass_gateway/static");
const MODULES = path.join(HERE, "node_modules");
const HASH_DIGITS = 10;
const FONTS = {
  "geist.woff2": "@fontsource-variable/geist/files/geist-latin-wght-normal.woff2",
  "geist-mono.woff2": "@fontsource-variable/geist-mono/files/geist-mono-latin-wght-normal.woff2",
};
const FAVICONS = ["favicon.svg", "favicon-running.svg", "favicon-failed.svg"];

const manifest = {};

function sha256(content) {
  return createHash("sha256").update(content).digest("hex");
}

function publish(name, content) {
  const bytes = Buffer.from(content);
  const digest = sha256(bytes);
  const { name: stem, ext } = path.parse(name);
  const file = `${stem}.${digest.slice(0, HASH_DIGITS)}${ext}`;
  fs.writeFileSync(path.join(OUT, file), bytes);
  manifest[name] = { file, sha256: digest };
  console.log(`${file}\t${(gzipSync(bytes, { level: 9 }).length / 1024).toFixed(1)} KiB`);
  return file;
}

function module(file) {
  return fs.readFileSync(path.join(MODULES, file));
}

function source(file) {
  return fs.readFileSync(path.join(HERE, "src", file), "utf8");
}

function styles() {
  const file = path.join(fs.mkdtempSync(path.join(HERE, "node_modules/.styles-")), "app.css");
  const cli = path.join(MODULES, "@tailwindcss/cli/dist/index.mjs");
  execFileSync(process.execPath, [cli, "-i", "src/app.css", "-o", file, "--minify"], { cwd: HERE, stdio: "pipe" });
  return fs.readFileSync(file, "utf8").replace(/url\("?\.\/([\w-]+\.woff2)"?\)/g, (_, font) => `url(${manifest[font].file})`);
}

function scripts() {
  const built = esbuild.buildSync({
    absWorkingDir: HERE,
    entryPoints: ["src/app.js"],
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    legalComments: "none",
    write: false,
  });
  return built.outputFiles[0].contents;
}

function sprite() {
  const names = fs.readFileSync(path.join(HERE, "icons.txt"), "utf8").split("\n").filter(Boolean);
  return `<svg xmlns="http://www.w3.org/2000/svg">${names.map(symbol).join("")}</svg>`;
}

function symbol(name) {
  const shapes = module(`lucide-static/icons/${name}.svg`).toString()
    .replace(/<!--[\s\S]*?-->/g, "").replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "")
    .replace(/\s+/g, " ").trim();
  const stroke = 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"';
  return `<symbol id="${name}" viewBox="0 0 24 24" ${stroke}>${shapes}</symbol>`;
}

// What was built from these is stale once one of them changes; a test compares.
function sources() {
  const names = ["build.mjs", "icons.txt", "package.json", ...fs.readdirSync(path.join(HERE, "src")).map((name) => `src/${name}`)];
  return Object.fromEntries(names.sort().map((name) => [name, sha256(fs.readFileSync(path.join(HERE, name)))]));
}

fs.rmSync(OUT, { recursive: true, force: true });
fs.mkdirSync(OUT, { recursive: true });
for (const [name, file] of Object.entries(FONTS)) publish(name, module(file));
for (const name of FAVICONS) publish(name, source(name));
publish("icons.svg", sprite());
publish("app.css", styles());
publish("app.js", scripts());
fs.writeFileSync(path.join(OUT, "manifest.json"), `${JSON.stringify({ files: manifest, sources: sources() }, null, 2)}\n`);
