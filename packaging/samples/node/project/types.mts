import { findCommand, scratch, type Scratch } from "updown-migrator";

const database: Scratch = await scratch({ at: "head", seed: 3, args: ["-n", "test"], cwd: ".", env: process.env });
const url: string = database.url;
const command: string = findCommand();
await database.close();
await using other = await scratch();
console.log(url, command, other.url);
// @ts-expect-error there is no such option
await scratch({ revision: "head" });
