// Where the command is: in the package of this platform, which npm installs beside this one.

import { accessSync, constants } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/** The package that holds the command for this platform. */
export function platformPackage() {
  const { name } = require("./package.json");
  const parts = [name, process.platform, process.arch];
  // Where the C library is not glibc, the static command is the one that runs.
  const isMusl =
    process.platform === "linux" && !process.report.getReport().header.glibcVersionRuntime;
  if (isMusl) parts.push("musl");
  return parts.join("-");
}

/** The path of the command. */
export function findCommand() {
  const wanted = platformPackage();
  const program = process.platform === "win32" ? "migrator.exe" : "migrator";
  let path;
  try {
    path = join(dirname(require.resolve(`${wanted}/package.json`)), program);
    accessSync(path, constants.X_OK);
  } catch (cause) {
    const { name, optionalDependencies } = require("./package.json");
    const isKnown = Object.hasOwn(optionalDependencies ?? {}, wanted);
    const why = isKnown
      ? `the package ${wanted} is not installed; install ${name} again, without --omit=optional`
      : `there is no package for ${process.platform} on ${process.arch}`;
    throw new Error(`migrator: ${why}`, { cause });
  }
  return path;
}
