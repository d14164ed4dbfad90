// Scratch databases for test runners: `migrator scratch`, held as long as a program wants them.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { findCommand } from "./platform.mjs";

export { findCommand };

// A command that prints the URL and ends with its input.
const HOLD =
  process.platform === "win32"
    ? [process.execPath, "-e", "console.log(process.env.DATABASE_URL); process.stdin.resume()"]
    : ["sh", "-c", 'echo "$DATABASE_URL"; exec cat'];

/**
 * Creates a scratch database, which exists until `close` is called or this process ends, however it does.
 */
export async function scratch({ at = "head", seed = false, args = [], cwd, env } = {}) {
  const words = [...args, "scratch", "--at", at];
  if (seed !== false) words.push(seed === true ? "--seed" : `--seed=${seed}`);
  const child = spawn(findCommand(), [...words, "--", ...HOLD], {
    cwd,
    env,
    stdio: ["pipe", "pipe", "pipe"],
    // Ctrl-C is for the tests: they still need the database to clean up.
    detached: process.platform !== "win32",
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
  // A command that is gone has no use for its input; its status says why.
  child.stdin.on("error", () => {});
  const ended = once(child, "close").then(([status]) => {
    if (status !== 0) throw new Error(said.trim() || `migrator scratch ended with status ${status}`);
  });
  const close = () => {
    child.stdin.end();
    return ended;
  };
  const url = await Promise.race([firstLine(child.stdout), ended]);
  if (url === undefined) {
    throw new Error("migrator scratch ended without a URL");
  }
  return { url, close, [Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]: close };
}

/** The first line of a stream; never resolves where it ends without one. */
function firstLine(stream) {
  return new Promise((resolve) => {
    let text = "";
    stream.setEncoding("utf8").on("data", (part) => {
      text += part;
      const end = text.indexOf("\n");
      if (end >= 0) resolve(text.slice(0, end).trimEnd());
    });
  });
}
