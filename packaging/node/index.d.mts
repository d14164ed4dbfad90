/** A scratch database. */
export interface Scratch {
  /** The URL of the database, with the password if there is one. */
  readonly url: string;
  /** Drops the database. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ScratchOptions {
  /** The revision up to which the scripts are run, by default `head`. */
  at?: string;
  /** Rows in every table: `true`, or the number that they are made from. */
  seed?: boolean | number;
  /** Global options of the command, such as `["-n", "test"]`. */
  args?: readonly string[];
  /** The directory from which migrator.toml is looked for. */
  cwd?: string | URL;
  /** The environment of the command, instead of this process's. */
  env?: Record<string, string | undefined>;
}

/**
 * Creates a scratch database, which exists until `close` is called or this process ends, however it does.
 */
export function scratch(options?: ScratchOptions): Promise<Scratch>;

/** The path of the command. */
export function findCommand(): string;
