// Prints what `drizzle-kit export` prints: `node -e PROGRAM BIN DIALECT ARGUMENTS`.
//
// What the project prints while its schema is loaded goes to standard error.
const fs = require("node:fs");
const path = require("node:path");

const bin = fs.realpathSync(process.argv[1]);
const place = path.dirname(bin) + path.sep;
const { log } = console;

process.stdout.write = process.stderr.write.bind(process.stderr);
console.log = (...words) => {
  const caller = (new Error().stack ?? "").split("\n")[2] ?? "";
  if (caller.includes(place)) {
    fs.writeSync(1, `${words.join(" ")}\n`);
  } else {
    log(...words);
  }
};

const [dialect, ...words] = process.argv.slice(2);
// A configuration names its dialect.
const isConfig = words.some((word) => word.startsWith("--config"));
const more = isConfig ? [] : [`--dialect=${dialect === "postgres" ? "postgresql" : dialect}`];
process.argv = [process.argv[0], bin, ...words, ...more];
require(bin);
