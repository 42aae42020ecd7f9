import type { Panel, RowPanel } from '@grafana/schema';
import type { PanelWithoutPosition } from './panel.ts';

const COLUMNS = 24;

export interface Row {
  readonly title: string;
  readonly panels: readonly PanelWithoutPosition[];
}

/** Gives everything its place: each row's heading, and below it its panels from left to right, as far as they fit. */
export function layOut(rows: readonly Row[]): (Panel | RowPanel)[] {
  const placed: (Panel | RowPanel)[] = [];
  let top = 0;
  const nextId = () => placed.length + 1;
  for (const { title, panels } of rows) {
    const gridPos = { x: 0, y: top, w: COLUMNS, h: 1 };
    placed.push({ type: 'row', id: nextId(), title, collapsed: false, panels: [], gridPos });
    top += 1;
    let [left, lowest] = [0, top];
    for (const { panel, width, height } of panels) {
      if (left + width > COLUMNS) [left, top] = [0, lowest];
      placed.push({ ...panel, id: nextId(), gridPos: { x: left, y: top, w: width, h: height } });
      left += width;
      lowest = Math.max(lowest, top + height);
    }
    top = lowest;
  }
  return placed;
}
