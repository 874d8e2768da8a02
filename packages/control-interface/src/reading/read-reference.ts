import {
  type DataReference,
  formats,
  isFormat,
  isProtocol,
  type Protocol,
  protocols,
} from "../reference/data-reference.ts";
import { rememberExactly } from "./exact-numbers.ts";
import { isBlank, readInteger } from "./lax.ts";
import { type Problem, show } from "./problem.ts";
import { type PythonValue, toPlainValue } from "./python-json.ts";

type Members = { [key: string]: PythonValue };

/** What the uri of each protocol must look like for the deployed orchestrator, and the rule that says so. */
export const uriRules: Partial<Record<Protocol, { rule: string; expected: string; pattern: RegExp }>> = {
  inline: {
    rule: "R-REF-04",
    expected: "padded base64 (RFC 4648 section 4) without line breaks",
    // One class, no groups: this runs over payloads of many megabytes.
    pattern: /^[A-Za-z0-9+/]*={0,2}$/,
  },
  http: { rule: "R-REF-05", expected: 'a uri that begins with "http://"', pattern: /^http:\/\// },
  https: { rule: "R-REF-05", expected: 'a uri that begins with "https://"', pattern: /^https:\/\// },
  s3: { rule: "R-REF-06", expected: 'a uri that begins with "s3://"', pattern: /^s3:\/\// },
  nfs: { rule: "R-REF-07", expected: "host:path", pattern: /:/ },
  mqtt: {
    rule: "R-REF-08",
    expected: 'a uri that begins with "mqtt://" or "mqtts://"',
    pattern: /^mqtts?:\/\//,
  },
};

/**
 * Reads a DataReference as the deployed orchestrator does (R-REF-17): every problem at once, and
 * the rules that join two fields only where the single fields are right, as its validator works.
 */
export function readReference(
  value: PythonValue,
  at: string,
): { reference: DataReference; problems: [] } | { reference?: undefined; problems: Problem[] } {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return {
      problems: [
        { field: at, rule: "R-REF-01", message: `Expected a DataReference object, found ${show(value)}` },
      ],
    };
  }
  const problems = [
    ...fieldRules.flatMap(({ name, check }) =>
      check(value[name]).map(({ below = "", ...rest }) => ({ field: `${at}.${name}${below}`, ...rest })),
    ),
  ];
  if (problems.length > 0) return { problems };
  const reference = toReference(value);
  const together = checkTogether(reference);
  if (together.length > 0) return { problems: together.map((problem) => ({ field: at, ...problem })) };
  return { reference, problems: [] };
}

/** The rules that join protocol, uri and format. */
function checkTogether(reference: DataReference): { rule: string; message: string }[] {
  const { protocol, uri, format } = reference;
  const found: { rule: string; message: string }[] = [];
  if (protocol !== "grpc" && !isFormat(format)) {
    found.push({
      rule: "R-REF-10",
      message: `Expected format to be one of ${formats.join(", ")} (lower case), found ${show(format)}`,
    });
  }
  const uriRule = uriRules[protocol];
  if (
    uriRule !== undefined &&
    !(uriRule.pattern.test(uri) && (protocol !== "inline" || uri.length % 4 === 0))
  ) {
    found.push({
      rule: uriRule.rule,
      message: `Expected the uri of protocol ${protocol} to be ${uriRule.expected}, found ${show(uri)}`,
    });
  }
  return found;
}

interface Finding {
  rule: string;
  message: string;
  /** What the deployed validator appends to the field's name. */
  below?: string;
}

const fieldRules: { name: string; check: (value: PythonValue | undefined) => Finding[] }[] = [
  {
    name: "protocol",
    check: (value) =>
      expect(isProtocol(value), "R-REF-02", `protocol to be one of ${protocols.join(", ")}`, value),
  },
  {
    name: "uri",
    check: (value) =>
      expect(
        typeof value === "string" && !isBlank(value),
        "R-REF-03",
        "uri to be a text that is not blank",
        value,
      ),
  },
  {
    name: "format",
    check: (value) => {
      if (value === undefined)
        return expect(false, "R-REF-10", `format to be one of ${formats.join(", ")}`, value);
      // A union in the deployed model: it objects once per branch.
      return [".str", ".str-enum[Format]"].flatMap((below) =>
        expect(typeof value === "string", "R-REF-10", "format to be a text", value).map((finding) => ({
          ...finding,
          below,
        })),
      );
    },
  },
  {
    name: "schema_uri",
    check: (value) =>
      expect(
        value == null || typeof value === "string",
        "R-REF-15",
        "schema_uri to be a text or null",
        value,
      ),
  },
  {
    name: "size_bytes",
    check: (value) => {
      const size = value == null ? 0n : readInteger(value);
      return expect(
        size !== undefined && size >= 0n,
        "R-REF-12",
        "size_bytes to be an integer of at least 0",
        value,
      );
    },
  },
  {
    name: "checksum",
    check: (value) =>
      expect(
        value == null || (typeof value === "string" && /^[^:]+:[\s\S]/.test(value)),
        "R-REF-13",
        'checksum to be "algorithm:value"',
        value,
      ),
  },
  {
    name: "metadata",
    check: (value) =>
      expect(
        value === undefined || (value !== null && typeof value === "object" && !Array.isArray(value)),
        "R-REF-14",
        "metadata to be an object",
        value,
      ),
  },
];

function expect(holds: boolean, rule: string, expected: string, found: unknown): Finding[] {
  return holds ? [] : [{ rule, message: `Expected ${expected}, found ${show(found)}` }];
}

function toReference(members: Members): DataReference {
  const metadata = (toPlainValue(members.metadata ?? {}) ?? {}) as Record<string, unknown>;
  rememberExactly(metadata, members.metadata ?? {});
  const reference: DataReference = {
    protocol: members.protocol as Protocol,
    uri: members.uri as string,
    format: members.format as string,
    metadata,
  };
  if (members.schema_uri != null) reference.schema_uri = members.schema_uri as string;
  if (members.size_bytes != null) reference.size_bytes = Number(readInteger(members.size_bytes));
  if (members.checksum != null) reference.checksum = members.checksum as string;
  return reference;
}
