// What client.ts needs of Node's types.
declare const process: { argv: string[] }
