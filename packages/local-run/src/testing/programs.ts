import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A service in a few lines: says that it listens, answers with its environment, stops on SIGTERM. */
export const listening = `
import { createServer } from "node:http";
const server = createServer((_, response) => response.end(JSON.stringify(process.env)));
server.listen(Number(process.env.PORT), process.env.HOST, () => {
  console.error("a line that is no JSON");
  console.log(JSON.stringify({ msg: "listening", url: "http://127.0.0.1:" + server.address().port }));
});
process.on("SIGTERM", () => { server.closeAllConnections(); server.close(); });
`;

/** Listens, and needs a while to clean up after SIGTERM, of which it handles the first one only. */
export const lingering = `
console.log(JSON.stringify({ msg: "listening", url: "http://127.0.0.1:1" }));
const alive = setInterval(() => {}, 1000);
process.once("SIGTERM", () => {
  console.log("asked to stop");
  setTimeout(() => clearInterval(alive), 300);
});
`;

/** Logs 20 lines and ends. */
export const broken = `
for (let line = 1; line <= 20; line += 1) console.error("line " + line);
process.exitCode = 3;
`;

/** Runs, and never says that it listens. */
export const silent = `setInterval(() => {}, 1000);`;

/** Writes a program into a folder. @returns its path */
export async function writeProgram(folder: string, name: string, source: string): Promise<string> {
  const entry = join(folder, `${name}.mjs`);
  await writeFile(entry, source);
  return entry;
}
