import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { tempFolder } from "@aieffect/test-support";

/** Writes files, by path, into a new folder of that name, which goes away with the test. */
export async function writeFiles(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(await tempFolder(), name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** `loader.Load -> trainer.Train` as connections.json has it. */
export function connect(...texts: string[]): Record<string, string>[] {
  return texts.map((text) => {
    const [from = "", to = ""] = text.split(" -> ").map((end) => end.split("."));
    const ends = { from_service: from[0] ?? "", to_service: to[0] ?? "" };
    return {
      ...ends,
      ...(from[1] !== undefined && { from_method: from[1] }),
      ...(to[1] !== undefined && { to_method: to[1] }),
    };
  });
}

/** A use case as a test tells it. */
export interface GivenUseCase {
  /** @default "wind_park" */
  name?: string;
  /** Texts of protos by folder below services/. */
  protos: Readonly<Record<string, string>>;
  connections?: Record<string, string>[];
  /** More members of `pipeline`; a service_mapping with a host for each folder is added. */
  pipeline?: Record<string, unknown>;
  /** Further files by path. */
  files?: Readonly<Record<string, string>>;
}

/** Writes a use case into a new folder. */
export async function writeUseCase({
  name = "wind_park",
  protos,
  connections = [],
  pipeline = {},
  files = {},
}: GivenUseCase): Promise<string> {
  const folders = Object.keys(protos);
  const service_mapping = Object.fromEntries(
    folders.map((folder) => [folder, { ip_address: folder.replaceAll("_", "-"), port: 8080 }]),
  );
  const document = { pipeline: { name: "Wind park", service_mapping, connections, ...pipeline } };
  return writeFiles(name, {
    "connections.json": JSON.stringify(document, undefined, 2),
    ...Object.fromEntries(
      folders.map((folder) => [`services/${folder}/proto/${folder}.proto`, protos[folder] ?? ""]),
    ),
    ...files,
  });
}

/** A proto3 file with one service; messages have one field of each kind that they are given. */
export function proto(rpcs: string, messages: Readonly<Record<string, string>>): string {
  const declared = Object.entries(messages).map(([name, fields]) => `message ${name} { ${fields} }`);
  return ['syntax = "proto3";', `service Node { ${rpcs} }`, ...declared, ""].join("\n");
}

/** Three services in a row, with nothing wrong: loader, trainer, reporter. */
export const row = {
  protos: {
    loader: proto("rpc Load(LoadRequest) returns (Series);", {
      LoadRequest: "string path = 1;",
      Series: "repeated double values = 1;",
    }),
    trainer: proto("rpc Train(Series) returns (Model);", {
      Series: "repeated double values = 1;",
      Model: "bytes weights = 1; int32 epochs = 2;",
    }),
    reporter: proto("rpc Report(Model) returns (Page);", {
      Model: "bytes weights = 1; int32 epochs = 2;",
      Page: "string html = 1;",
    }),
  },
  connections: connect("loader.Load -> trainer.Train", "trainer.Train -> reporter.Report"),
} as const satisfies GivenUseCase;
