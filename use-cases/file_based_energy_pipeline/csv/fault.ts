import { ControlError } from "@aieffect/control-interface";
import { toShown } from "@aieffect/energy-services";

const counting = "(rows are the lines of the file as an editor counts them)";

/** A cell that is not what its column holds. */
export function cellFault(line: number, column: string, expected: string, found: string): ControlError {
  return dataFault(
    `Row ${line}, column "${column}": expected ${expected}, found "${toShown(found, 100)}" ${counting}`,
  );
}

/** A row that is wrong as a whole. */
export function rowFault(line: number, problem: string, cause?: unknown): ControlError {
  return dataFault(`Row ${line}: ${problem} ${counting}`, cause);
}

/** Cells of a row that do not go together. */
export function cellsFault(
  line: number,
  columns: readonly string[],
  expected: string,
  found: string,
): ControlError {
  const names = columns.map((column) => `"${column}"`);
  const all = `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  return dataFault(
    `Row ${line}, columns ${all}: expected ${expected}, found ${toShown(found, 300)} ${counting}`,
  );
}

/** A header that is not the one of this table. */
export function headerFault(line: number, problem: string): ControlError {
  return dataFault(`Row ${line}: ${problem}`);
}

/** A fault of the data as such. */
export function dataFault(message: string, cause?: unknown): ControlError {
  return new ControlError("unreadable_reference", message, { cause });
}
