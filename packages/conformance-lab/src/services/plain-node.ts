/** The harness's own right service as a program: `PORT`, `SERVICE_API_KEY`, `DATA_DIR`, `TIME_SCALE`. */
import { startPristine } from "@aieffect/conformance/zoo";

const { PORT = "0", SERVICE_API_KEY, DATA_DIR, TIME_SCALE = "1" } = process.env;
const running = await startPristine({
  port: Number(PORT),
  token: SERVICE_API_KEY,
  share: DATA_DIR,
  time_scale: Number(TIME_SCALE),
});
console.log(JSON.stringify({ port: Number(new URL(running.url()).port) }));
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, async () => {
    await running.close();
    process.exit(0);
  });
}
