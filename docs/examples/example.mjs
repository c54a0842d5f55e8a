// Usage: URL=... KEY=... node example.mjs ada-1.jpg today.jpg
import { readFile } from "node:fs/promises";
import { Client, Problem } from "../../client/javascript/semblance.js";

const [reference, probe] = await Promise.all(process.argv.slice(2).map((name) => readFile(name)));
const semblance = new Client({ url: process.env.URL, key: process.env.KEY });
try {
  await semblance.enroll("ada", [reference]);
  const { identity, verified } = await semblance.verify("ada", probe, { fmr: 1e-4 });
  console.log(JSON.stringify({ identity, verified }));
} catch (error) {
  if (!(error instanceof Problem)) throw error;
  console.error(`${error.code}: ${error.detail}`);
  process.exitCode = 1;
}
