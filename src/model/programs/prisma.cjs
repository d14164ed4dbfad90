// Prints the DDL of a schema of Prisma: `node -e PROGRAM DIALECT SCHEMA CLI WASM`.
//
// The engine in WebAssembly is used if the project has it. It asks the server for its version and whether its schema
// exists, which is answered here. Otherwise the CLI is run, which has or downloads an engine.
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { pathToFileURL } = require("node:url");

const [dialect, source, cli, wasm] = process.argv.slice(1);

function fail(message) {
  fs.writeSync(2, `${message}\n`);
  process.exit(1);
}

function readSchema() {
  const isDirectory = fs.statSync(source, { throwIfNoEntry: false })?.isDirectory();
  const names = isDirectory ? fs.readdirSync(source, { recursive: true }).sort() : [""];
  const paths = names.filter((name) => !isDirectory || name.endsWith(".prisma")).map((name) => path.join(source, name));
  return paths.map((file) => ({ path: file, content: fs.readFileSync(file, "utf8") }));
}

function checkProvider(files) {
  const text = files.map((file) => file.content).join("\n");
  const provider = /^\s*datasource\s+\w+\s*\{[^}]*?^\s*provider\s*=\s*"([^"]*)"/m.exec(text)?.[1];
  const providers = { postgres: ["postgresql", "postgres"], sqlite: ["sqlite"] }[dialect];
  if (!providers.includes(provider)) {
    fail(`the provider of ${source} is ${provider ?? "missing"}, and the database is ${providers[0]}`);
  }
}

/** An adapter of a server that is empty. */
function emptyServer() {
  const ok = (value) => ({ ok: true, value, map: (change) => ok(change(value)), flatMap: (change) => change(value) });
  const names = { provider: dialect, adapterName: "empty" };
  const refuse = async () => {
    throw new Error("there is no server");
  };
  const connection = {
    ...names,
    queryRaw: async () => ok({ columnNames: [], columnTypes: [], rows: [] }),
    executeRaw: async () => ok(0),
    executeScript: async () => ok(undefined),
    startTransaction: refuse,
    getConnectionInfo: () => ok({ schemaName: "public", supportsRelationJoins: false }),
    dispose: async () => ok(undefined),
  };
  const connect = async () => ok(connection);
  return { ...names, connect, connectToShadowDb: connect };
}

async function byWasm(files) {
  const bindings = await import(pathToFileURL(path.join(wasm, "schema_engine_bg.js")).href);
  const binary = fs.readFileSync(path.join(wasm, "schema_engine_bg.wasm"));
  const { instance } = await WebAssembly.instantiate(binary, { "./schema_engine_bg.js": bindings });
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start?.();
  const datamodels = files.map((file) => [file.path, file.content]);
  const engine = await bindings.SchemaEngine.new({ datamodels }, () => {}, emptyServer());
  const result = await engine.diff({
    from: { tag: "empty" },
    to: { tag: "schemaDatamodel", files },
    script: true,
    exitCode: null,
    shadowDatabaseUrl: null,
    filters: { externalTables: [], externalEnums: [] },
  });
  return result.stdout ?? "";
}

function byCli() {
  if (!fs.existsSync(cli)) {
    fail(`Prisma is not installed: there is no ${cli}`);
  }
  const { version } = JSON.parse(fs.readFileSync(path.join(cli, "../../package.json"), "utf8"));
  const to = Number.parseInt(version, 10) >= 7 ? "--to-schema" : "--to-schema-datamodel";
  const words = [cli, "migrate", "diff", "--from-empty", to, source, "--script"];
  const done = spawnSync(process.execPath, words, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  if (done.status !== 0) {
    fail("the engine may be missing: it is downloaded, or installed with `npm install -D @prisma/schema-engine-wasm`");
  }
  return done.stdout;
}

async function main() {
  const files = readSchema();
  checkProvider(files);
  fs.writeSync(1, fs.existsSync(wasm) ? await byWasm(files) : byCli());
}

main().catch((error) => fail(error.message ?? String(error)));
