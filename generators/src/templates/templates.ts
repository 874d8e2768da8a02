/** A file of a template. Text as it stands; what is no text is base64. */
export interface TemplateFile {
  path: string;
  text?: string;
  base64?: string;
  executable?: boolean;
}

/** A template: a running service, or a use case with several. */
export interface Template {
  name: string;
  /** One line about what it does. */
  title: string;
  /** The name that its files carry, which a copy replaces with its own. */
  service: string;
  files: readonly TemplateFile[];
}

/** Everything that is copied, with the versions that it depends on; embedded in what is published. */
export interface Templates {
  /** The version of all our packages. */
  version: string;
  /** What package.json of a copy says for each dependency, instead of `workspace:` and `catalog:`. */
  versions: Readonly<Record<string, string>>;
  /** Where our packages come from instead of the registry: tarballs that a copy has beside it. */
  overrides?: Readonly<Record<string, string>>;
  services: readonly Template[];
  examples: readonly Template[];
}
