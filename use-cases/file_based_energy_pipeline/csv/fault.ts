import { ControlError } from "@aieffect/control-interface";

const counting = "(rows are the lines of the file as an editor counts them; the header is row 1)";

/** A cell that is not what its column holds. */
export function cellFault(line: number, column: string, expected: string, found: string): ControlError {
  return dataFault(
    `Row ${line}, column "${column}": expected ${expected}, found "${found.slice(0, 100)}" ${counting}`,
  );
}

/** A row that is wrong as a whole. */
export function rowFault(line: number, problem: string, cause?: unknown): ControlError {
  return dataFault(`Row ${line}: ${problem} ${counting}`, cause);
}

/** A fault of the data as such. */
export function dataFault(message: string, cause?: unknown): ControlError {
  return new ControlError("unreadable_reference", message, { cause });
}
