/** Told what happens: a fixed sentence and its facts, none of them secret. */
export type EmbeddedLog = (message: string, fields?: Readonly<Record<string, unknown>>) => void;
