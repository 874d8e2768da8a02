/** Keeps one processor busy until its parent goes away. */
process.on("disconnect", () => process.exit(0));
for (;;) {
  const until = performance.now() + 200;
  while (performance.now() < until);
  // A turn for the message that the parent has gone.
  await new Promise((resolve) => setImmediate(resolve));
}
