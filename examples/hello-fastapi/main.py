"""A FastAPI app with its requirements in requirements.txt; it is started with uvicorn."""

import os

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def hello() -> dict[str, str]:
    return {"message": "Hello from FastAPI on Windlass.", "commit": os.environ.get("WINDLASS_COMMIT", "unknown")}
