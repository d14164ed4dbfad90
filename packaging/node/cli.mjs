#!/usr/bin/env node
// Runs the command in the place of this process, or as its child where Node cannot do that.

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { findCommand } from "./platform.mjs";

let command;
try {
  command = findCommand();
} catch (error) {
  console.error(error.message);
  process.exit(127);
}
const words = process.argv.slice(2);

// Node 22.15 and newer, except on Windows. It warns that this is experimental.
if (typeof process.execve === "function" && process.platform !== "win32") {
  process.removeAllListeners("warning");
  process.execve(command, [command, ...words], process.env);
}

const child = spawn(command, words, { stdio: "inherit" });
// A terminal sends Ctrl-C to both; the first one lets the running revision finish, a second one would cancel it.
const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"]) {
  process.on(signal, () => {
    if (signal !== "SIGINT" || !hasTerminal) child.kill(signal);
  });
}
child.on("error", (error) => {
  console.error(`migrator: ${command} cannot be run: ${error.message}`);
  process.exit(126);
});
child.on("exit", (status, signal) => {
  process.exit(status ?? 128 + constants.signals[signal]);
});
