import type { UseCase, UseCaseService } from "../model/use-case.ts";
import type { Problem } from "../problems/problem.ts";
import {
  type MessageOf,
  nameIn,
  type ProtoFile,
  printProto,
  signatureIn,
  topOf,
  type Unit,
} from "../proto/print-proto.ts";
import type { Proto, Rpc } from "../proto/proto.ts";
import { type Graph, toKey } from "./graph.ts";
import { toContainer } from "./names.ts";
import { compareMessages } from "./structure.ts";

/** The protos of an export. */
export interface ExportedProtos {
  /** Texts by path, as in `microservice/data_analyzer1.proto`. */
  protos: ReadonlyMap<string, string>;
  /** The messages of each RPC as the exported file calls them, by key. */
  rpcs: ReadonlyMap<string, { input: string; output: string }>;
  /** What could not be aligned. */
  problems: readonly Problem[];
  /** What a proto that has to be rewritten would lose. */
  lost: readonly Problem[];
}

/** What was worked out for a use case: with `align`, a rule asks before the plan does. */
const known = new WeakMap<Graph, Map<boolean, ExportedProtos>>();

/**
 * A proto without imports is exported as it stands. One with imports has them inlined, so that each
 * file can be read alone; with `align`, an RPC that is connected takes the message that it is sent,
 * under the sender's name for it.
 */
export function exportProtos(useCase: UseCase, graph: Graph, { align }: { align: boolean }): ExportedProtos {
  const before = known.get(graph) ?? new Map<boolean, ExportedProtos>();
  known.set(graph, before);
  const exported = before.get(align) ?? workOut(useCase, graph, align);
  before.set(align, exported);
  return exported;
}

function workOut(useCase: UseCase, graph: Graph, align: boolean): ExportedProtos {
  const protos = new Map<string, string>();
  const rpcs = new Map<string, { input: string; output: string }>();
  const problems: Problem[] = [];
  const lost: Problem[] = [];
  const unitsOf = new Map(useCase.services.map((service) => [service.proto, ownUnits(service)]));
  const senders = new Map(useCase.services.map((service) => [service.folder, service]));
  for (const service of useCase.services) {
    const { folder, proto, proto_file } = service;
    const own = unitsOf.get(proto) ?? [];
    const sent = align ? inputsOf(service, senders, graph, problems) : [];
    const needed = sent.filter(({ rpc, message }) => {
      const { proto: sender, full_name } = message;
      const name = nameIn(unitsOf.get(sender) ?? [], message);
      const input = rpc.input_type === undefined ? undefined : { proto, full_name: rpc.input_type };
      if (input === undefined || nameIn(own, input) !== name) return true;
      return compareMessages({ proto: sender, full_name }, input).structure !== undefined;
    });
    const inputs = new Map(needed.map(({ rpc, message }) => [rpc.name, message]));
    const units = withoutUnused(service, own, inputs);
    for (const { rpc, message } of needed) {
      if (addMessage(message, unitsOf.get(message.proto) ?? [], units, proto)) continue;
      problems.push({
        code: "message-mismatch",
        severity: "error",
        file: proto_file,
        line: rpc.line,
        message: `Expected ${rpc.name} to be free to take a message named ${message.full_name}, found that the proto needs another one of that name`,
        fix: "Rename one of the two messages",
      });
      return { protos, rpcs, problems, lost };
    }
    const isSame = proto.imports.length === 0 && inputs.size === 0;
    const head = `${proto_file.split("/").at(-1)} of the use case, with what it imports and is sent.`;
    const file: ProtoFile = { proto, head, units, inputs };
    if (!isSame) lost.push(...lostIn(file, proto_file));
    protos.set(`microservice/${toContainer(folder)}.proto`, isSame ? proto.text : printProto(file));
    for (const rpc of rpcsOf(service)) rpcs.set(toKey(folder, rpc.name), signatureIn(file, rpc));
  }
  return { protos, rpcs, problems, lost };
}

/** What of a file's types cannot be written again: told where it stands, and never left out in silence. */
function lostIn({ proto, units }: ProtoFile, rewritten: string): Problem[] {
  const because = proto.imports.length > 0 ? "it imports others" : "it has to be aligned with its sender";
  const problem = (found: string, where: Pick<Problem, "file" | "line">): Problem => ({
    code: "unprintable",
    severity: "error",
    ...where,
    message: `Expected messages that can be written into a new file, because ${rewritten} is exported rewritten (${because}), found ${found}`,
    fix: "Use plain fields of proto3, or export without --align and with all messages in the file itself",
  });
  return units
    .filter(({ is_alias }) => !is_alias)
    .flatMap(({ proto: owner, top }) => {
      const messages = nestedIn(owner, top).flatMap((name) => owner.messages.get(name) ?? []);
      const own = owner.enums.get(top);
      const enums = own === undefined ? [] : [own];
      const files = new Set([...messages, ...enums].map(({ file }) => file));
      return [
        ...messages.flatMap(({ full_name, unprintable, file, line }) =>
          unprintable.map((what) => problem(`${what} in ${full_name}`, { file, line })),
        ),
        ...[...files]
          .filter((file) => owner.editions.has(file))
          .map((file) => problem(`${top} in a file with an edition`, { file, line: undefined })),
      ];
    });
}

/** Without what only inputs needed that are others now. What nothing ever needed stays. */
function withoutUnused(
  service: UseCaseService,
  units: readonly Unit[],
  inputs: ReadonlyMap<string, MessageOf>,
): Unit[] {
  const { proto } = service;
  const typesOf = (rpc: Rpc) => [inputs.has(rpc.name) ? undefined : rpc.input_type, rpc.output_type];
  const before = neededBy(
    proto,
    rpcsOf(service).flatMap((rpc) => [rpc.input_type ?? [], rpc.output_type ?? []].flat()),
  );
  const now = neededBy(
    proto,
    rpcsOf(service)
      .flatMap(typesOf)
      .filter((type) => type !== undefined),
  );
  const unneeded = units.filter(({ top }) => !before.has(top)).map(({ top }) => top);
  const kept = new Set([...now, ...neededBy(proto, unneeded)]);
  return units.filter(({ top }) => kept.has(top));
}

/** Adds a message with all that it needs. @returns false where another one has its name */
function addMessage(message: MessageOf, senders: readonly Unit[], units: Unit[], receiver: Proto): boolean {
  const { proto, full_name } = message;
  const main = topOf(proto, full_name);
  for (const top of neededBy(proto, [full_name])) {
    if (units.some((unit) => unit.proto === proto && unit.top === top)) continue;
    const name = nameIn(senders, { proto, full_name: top });
    const other = units.find((unit) => unit.name === name);
    if (other === undefined) units.push({ proto, top, name });
    else if (isSame(other, { proto, top, name })) units.push({ proto, top, name, is_alias: true });
    else if (top === main) return false;
    else units.push({ proto, top, name: freeName(`${proto.package ?? "sent"}.${name}`, units, receiver) });
  }
  return true;
}

/** Whether one can stand for the other, with all that is nested in it. */
function isSame(one: Unit, other: Unit): boolean {
  const shape = ({ proto, top }: Unit) =>
    JSON.stringify([
      nestedIn(proto, top).map((name) => name.slice(top.length)),
      [...proto.enums]
        .filter(([name]) => name === top || name.startsWith(`${top}.`))
        .map(([name, { values }]) => [name.slice(top.length), Object.values(values)]),
    ]);
  const [a, b] = [one, other].map(({ proto, top }) => ({ proto, full_name: top })) as [MessageOf, MessageOf];
  return shape(one) === shape(other) && compareMessages(a, b).structure === undefined;
}

function rpcsOf({ proto }: UseCaseService): Rpc[] {
  return proto.services.flatMap(({ rpcs }) => rpcs);
}

/** What the file declares, then what it needs of its imports under names that are free. */
function ownUnits({ proto, proto_file }: UseCaseService): Unit[] {
  const all = [...proto.messages.values(), ...proto.enums.values()];
  const prefix = proto.package === undefined ? "" : `${proto.package}.`;
  const units: Unit[] = [];
  for (const { full_name, file } of all) {
    if (file !== proto_file || topOf(proto, full_name) !== full_name) continue;
    units.push({ proto, top: full_name, name: full_name.slice(prefix.length) });
  }
  const declared = new Set(units.map(({ top }) => top));
  const messages = rpcsOf({ proto } as UseCaseService).flatMap((rpc) => [rpc.input_type, rpc.output_type]);
  for (const top of neededBy(proto, [...declared, ...messages.filter((type) => type !== undefined)])) {
    if (declared.has(top)) continue;
    units.push({ proto, top, name: freeName(top, units, proto) });
  }
  return units;
}

/** The top-level types that types need, themselves included. */
function neededBy(proto: Proto, types: readonly string[]): Set<string> {
  const tops = new Set(types.map((type) => topOf(proto, type)));
  for (const top of tops) {
    const nested = nestedIn(proto, top);
    for (const { type } of nested.flatMap((name) => proto.messages.get(name)?.fields ?? [])) {
      if (proto.messages.has(type) || proto.enums.has(type)) tops.add(topOf(proto, type));
    }
  }
  return tops;
}

/** Messages by the top-level type that they are, or are nested in: looked for once per type, all of them would take too long. */
const nested = new WeakMap<Proto, ReadonlyMap<string, string[]>>();

function nestedIn(proto: Proto, top: string): string[] {
  const known = nested.get(proto) ?? groupByTop(proto, proto.messages.keys());
  nested.set(proto, known);
  return known.get(top) ?? [];
}

function groupByTop(proto: Proto, names: Iterable<string>): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const top = topOf(proto, name);
    const group = groups.get(top);
    if (group === undefined) groups.set(top, [name]);
    else group.push(name);
  }
  return groups;
}

/** Its own last name; `common_Ack` where that is taken, then with a number. */
function freeName(top: string, units: readonly Unit[], { services }: Proto): string {
  const taken = new Set([...units.map(({ name }) => name), ...services.map(({ name }) => name)]);
  const parts = top.split(".");
  const candidates = [parts.at(-1) ?? top, parts.join("_")];
  for (let number = 2; ; number++) {
    const free = candidates.find((name) => !taken.has(name));
    if (free !== undefined) return free;
    candidates.push(`${parts.join("_")}${number}`);
  }
}

/** What the connected RPCs of a service are sent. */
function inputsOf(
  service: UseCaseService,
  senders: ReadonlyMap<string, UseCaseService>,
  { incoming }: Graph,
  problems: Problem[],
): { rpc: Rpc; message: MessageOf }[] {
  return rpcsOf(service).flatMap((rpc) => {
    const given = incoming.get(toKey(service.folder, rpc.name)) ?? [];
    const messages = given.flatMap(({ from_service, from_method, line }) => {
      const sender = senders.get(from_service);
      const output = sender && rpcsOf(sender).find(({ name }) => name === from_method)?.output_type;
      return sender === undefined || output === undefined
        ? []
        : [{ line, message: { proto: sender.proto, full_name: output } }];
    });
    const [first, ...others] = messages;
    if (first === undefined) return [];
    for (const { line, message } of others) {
      const { structure } = compareMessages(first.message, message);
      if (structure === undefined) continue;
      problems.push({
        code: "message-mismatch",
        severity: "error",
        file: "connections.json",
        line,
        message: `Expected all that ${service.folder}.${rpc.name} is sent to be one message, found several: ${structure}`,
        fix: `Let the outputs be alike, or give ${service.proto_file} an RPC for each`,
      });
    }
    return [{ rpc, message: first.message }];
  });
}
