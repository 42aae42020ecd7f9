/** Rows of numbers, one after another, as GGUF stores a matrix of `columns` inputs and `rows` outputs. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

export function zeros(rows: number, columns: number): Matrix {
  return { rows, columns, values: new Float32Array(rows * columns) };
}

export function add({ columns, values }: Matrix, row: number, column: number, value: number): void {
  const at = row * columns + column;
  values[at] = (values[at] ?? 0) + value;
}
