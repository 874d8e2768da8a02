/** Marks of what is inside a service, in replies of many languages. */
const marks: readonly [what: string, pattern: RegExp][] = [
  ["a Python stack", /Traceback \(most recent call last\)|File "[^"\n]+\.pyc?", line \d+/],
  ["a JavaScript stack", /\bat (?:[^\n]{0,200}?[\s(])?(?:file:\/\/|node:|\/|[A-Z]:\\)[^\s()]+:\d+:\d+/],
  ["a Java stack", /\bat [\w.$]+\([A-Z]\w*\.(?:java|kt|scala):\d+\)/],
  ["a Go stack", /goroutine \d+ \[\w|\.go:\d+ \+0x/],
  ["a Rust panic", /panicked at [^\n]{0,200}\.rs:\d+/],
  ["a .NET stack", /\bat [^\n]{1,200} in [^\n]{1,200}:line \d+/],
  ["a PHP stack", /#\d+ \/[^\s:]+\.php\(\d+\)/],
  ["a Ruby stack", /\.rb:\d+:in [`']/],
  ["the path of a library", /(?:site|dist)-packages\/\w|[\w.-]\/node_modules\/[\w@]/],
  // No part of a URL, and no file of data.
  [
    "the path of a source file",
    /(?<![\w:/.\\-])(?:\/|[A-Z]:\\)(?:[\w.-]+[/\\])+[\w.-]+\.(?:py|pyc|mjs|cjs|js|ts|java|go|rs|rb|php|cs)\b/,
  ],
  ["the environment", /\bPATH["']?\s*[=:]\s*["']?\/[^\s"',]*:\//],
];

const environmentNames =
  /\b(?:HOME|PWD|HOSTNAME|SHELL|LANG|PYTHONPATH|NODE_ENV|SERVICE_API_KEY|DATA_DIR)["']?\s*[=:]\s*["']?[^\s"',}]/g;

/** What a body shows of the inside of a service; undefined where nothing. */
export function internalsIn(body: string): { what: string; shown: string } | undefined {
  // JSON writes line breaks and tabs as two characters.
  const text = body
    .replaceAll("\\n", "\n")
    .replaceAll("\\t", "\t")
    .replaceAll('\\"', '"')
    .replaceAll("\\\\", "\\");
  for (const [what, pattern] of marks) {
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) return { what, shown: found.slice(0, 200) };
  }
  const names = text.match(environmentNames) ?? [];
  // One alone may be a word of a sentence.
  return names.length < 2 ? undefined : { what: "the environment", shown: names.join(" ").slice(0, 200) };
}
