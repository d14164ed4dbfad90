import { readFileSync } from "node:fs";

/** Which of the successive versions of the models this is. */
export const EDIT: number = JSON.parse(readFileSync("edit.json", "utf8"));
