import { ScaffoldError } from "../errors.ts";
import { type Generator, textOf } from "../generator.ts";
import { serviceNameProblem, shown, toCamel } from "../names.ts";
import { createTree, type Tree } from "../tree/tree.ts";

const cases = "packages/conformance/src/cases";

/** For contributors: a case of the conformance suite, in the order of its profile. */
export const conformanceCaseGenerator: Generator = {
  name: "conformance-case",
  description: "a case of the conformance suite (in this repository)",
  prompts: [
    { name: "profile", flag: "profile", kind: "text", message: "Which profile, as in core?" },
    {
      name: "slug",
      flag: "slug",
      kind: "text",
      message: "What is it called, as in no-redirect?",
      problem: serviceNameProblem,
    },
    { name: "rule", flag: "rule", kind: "text", message: "Which rule of CONTRACT.md, as in R-EXEC-09?" },
    {
      name: "holds",
      flag: "holds",
      kind: "text",
      message: "What holds, in one sentence?",
    },
  ],
  validate(answers, { root }) {
    const tree = createTree(root);
    const profile = textOf(answers, "profile");
    const profiles = tree.list(cases).filter((name) => tree.read(`${cases}/${name}/index.ts`) !== undefined);
    if (!profiles.includes(profile)) {
      throw new ScaffoldError("AE1202", {
        where: "--profile",
        message: `Expected one of ${profiles.join(", ") || "the profiles of the repository"}, found ${shown(profile)}`,
      });
    }
    const rule = textOf(answers, "rule");
    const contract = tree.readText("packages/control-interface/CONTRACT.md") ?? "";
    if (!/^R-[A-Z0-9]+-\d+$/.test(rule) || !contract.includes(rule)) {
      throw new ScaffoldError("AE1202", {
        where: "--rule",
        message: `Expected a rule of CONTRACT.md, as in R-EXEC-09, found ${shown(rule)}`,
      });
    }
  },
  plan(answers, tree) {
    const [profile, slug] = [textOf(answers, "profile"), textOf(answers, "slug")];
    const folder = `${cases}/${profile}`;
    const files = tree
      .list(folder)
      .filter((name) => /^[a-z]+\d+-.*\.ts$/.test(name) && !name.endsWith(".test.ts"));
    const mutants = `packages/conformance/src/zoo/mutants/${profile}.ts`;
    const next = [`write a service that only it catches: ${mutants}`, "npm run -s conformance:selftest"];
    // Its number is new each time; the slug is what makes it the same case.
    if (files.some((name) => name.replace(/^[a-z]+\d+-/, "") === `${slug}.ts`)) return next;
    const last = files.map((name) => /^([a-z]+)(\d+)-/.exec(name)).at(-1);
    const [letter, number] = [last?.[1] ?? profile.charAt(0), Number(last?.[2] ?? 0) + 1];
    const id = `${letter}${String(number).padStart(2, "0")}`;
    const file = `${id}-${slug}.ts`;
    tree.write(
      `${folder}/${file}`,
      caseFile({
        id: id.toUpperCase(),
        profile,
        slug,
        rule: textOf(answers, "rule"),
        holds: textOf(answers, "holds"),
      }),
    );
    addToIndex(tree, `${folder}/index.ts`, toCamel(slug), file);
    return [`write what it sends and expects: ${folder}/${file}`, ...next];
  },
};

function caseFile(one: { id: string; profile: string; slug: string; rule: string; holds: string }): string {
  return `import { defineCase } from "../../engine/case.ts";

export const ${toCamel(one.slug)} = defineCase({
  id: "${one.id}",
  slug: "${one.profile}/${one.slug}",
  profile: "${one.profile}",
  level: "SHOULD",
  because: "practice",
  rules: ["${one.rule}"],
  needs: [],
  holds: ${JSON.stringify(one.holds)},
  consequence: "Say what happens in the orchestrator, or to its users, where it does not hold.",
  fix: "Say what to change in the service.",
  async run(t) {
    const exchange = await t.send({ path: "/health" });
    const reply = t.replied(exchange);
    t.require(reply.status === 200, "E_HEALTH_STATUS", {
      expected: "200",
      found: \`\${reply.status}\`,
      at: exchange,
    });
  },
});
`;
}

/** The import behind the last import, the name at the end of the list. */
function addToIndex(tree: Tree, path: string, name: string, file: string): void {
  const text = tree.readText(path) ?? "";
  const imports = text.lastIndexOf("import ");
  const behind = text.indexOf("\n", imports) + 1;
  const list = text.lastIndexOf("];");
  if (imports < 0 || list < behind) {
    throw new ScaffoldError("AE1402", {
      where: path,
      message: "Expected imports and a list of cases, found others",
    });
  }
  tree.write(
    path,
    `${text.slice(0, behind)}import { ${name} } from "./${file}";\n${text.slice(behind, list)}  ${name},\n${text.slice(list)}`,
  );
}
