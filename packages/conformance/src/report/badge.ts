import type { ReportDocument } from "./document.ts";

const colors = {
  CONFORMANT: "#2a7f3f",
  "CONFORMANT EXCEPT": "#8a6d00",
  "NON-CONFORMANT": "#b3261e",
  // Never green without proof.
  "NOT PROVEN": "#6b6b6b",
} as const;

/** Width of a character at 11 px, on average. */
const character = 6.6;

/** An SVG for a README: what was judged, and what it came to. */
export function toBadge(document: ReportDocument): string {
  const { verdict, profiles, cases } = document;
  const proven = profiles.filter((one) => one.verdict.startsWith("CONFORMANT")).map(({ profile }) => profile);
  const ran = cases.filter(({ status }) =>
    ["pass", "warn", "info", "fail", "known-failing"].includes(status),
  );
  const good = ran.filter(({ status }) => status !== "fail" && status !== "known-failing").length;
  const words = {
    CONFORMANT: `${proven.join(" + ")} ${good}/${ran.length}`,
    "CONFORMANT EXCEPT": `${proven.join(" + ")} ${good}/${ran.length}`,
    "NON-CONFORMANT": `failing ${good}/${ran.length}`,
    "NOT PROVEN": "not proven",
  };
  const left = "AI-Effect control";
  const right = words[verdict];
  const [a, b] = [left, right].map((text) => Math.round(text.length * character + 14)) as [number, number];
  const label = `${left}: ${right}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${a + b}" height="20" role="img" aria-label="${label}">
<title>${label}</title>
<rect width="${a}" height="20" fill="#3b3b3b"/>
<rect x="${a}" width="${b}" height="20" fill="${colors[verdict]}"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="${a / 2}" y="14" textLength="${a - 14}">${left}</text>
<text x="${a + b / 2}" y="14" textLength="${b - 14}">${right}</text>
</g>
</svg>
`;
}
