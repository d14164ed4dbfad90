import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { findCommand, scratch } from "updown-migrator";

const migrator = (...words) =>
  execFileSync(findCommand(), words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

let database;
before(async () => (database = await scratch()));
after(() => database.close());

test("a database is at head", () => {
  migrator("--url", database.url, "current", "--check-heads");
});

test("another one is another", async () => {
  const other = await scratch({ at: "1" });
  assert.notEqual(other.url, database.url);
  assert.match(migrator("--url", other.url, "current"), /^1 /);
  await other.close();
  assert.throws(() => migrator("--url", other.url, "current"));
});

test("many at once", async () => {
  const all = await Promise.all(Array.from({ length: 4 }, () => scratch({ seed: 3 })));
  assert.equal(new Set(all.map((one) => one.url)).size, 4);
  await Promise.all(all.map((one) => one.close()));
});

test("a failure has the words of the command", async () => {
  await assert.rejects(scratch({ at: "nowhere" }), /nowhere/);
  await assert.rejects(scratch({ cwd: process.env.TMPDIR, args: ["-c", "missing.toml"] }), /missing\.toml/);
});

test("a killed process leaves no database", { skip: process.platform === "win32" }, async () => {
  const code = `
    import { scratch } from "updown-migrator";
    console.log((await scratch()).url);
    setTimeout(() => {}, 60000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  const url = line.toString().trim();
  child.kill("SIGKILL");
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      migrator("--url", url, "current");
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail("the database is still there");
});

test("the command gets signals, and its status is passed on", { skip: process.platform === "win32" }, async () => {
  const cli = new URL("node_modules/.bin/migrator", import.meta.url).pathname;
  const failed = spawn(process.execPath, [cli, "upgrade", "--nonsense"], { stdio: "ignore" });
  assert.deepEqual(await once(failed, "exit"), [2, null]);
  const words = ["scratch", "--", "sh", "-c", 'trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done'];
  const running = spawn(process.execPath, [cli, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  await once(running.stdout, "data");
  running.kill("SIGTERM");
  assert.deepEqual(await once(running, "exit"), [7, null]);
});
