/** Package managers that generated projects are tried with. */
export const packageManagers = ["npm", "pnpm"] as const;

const pnpm = "npx -y pnpm@10.34.9";

/** A file written for npm, for another package manager. */
export function forPackageManager(path: string, text: string, pm: string): string {
  if (pm !== "pnpm") return text;
  if (path === "Dockerfile") {
    return text.replace(
      "npm install --no-audit --no-fund && npm run build && npm prune --omit=dev",
      `${pnpm} install && npm run build && CI=true ${pnpm} prune --prod`,
    );
  }
  if (path === ".github/workflows/ci.yml") {
    return text.replace("run: npm install", `run: ${pnpm} install`);
  }
  if (!/\.md$/.test(path)) return text;
  return text
    .replaceAll(/\bnpx aieffect\b/g, "pnpm aieffect")
    .replaceAll(/\bnpm (install|start|test|run)\b/g, "pnpm $1");
}
