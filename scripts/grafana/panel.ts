import type { DataSourceRef, FieldConfig, Panel } from '@grafana/schema';

/** The data source that whoever looks has chosen. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of Grafana's.
export const source: DataSourceRef = { type: 'prometheus', uid: '${datasource}' };

export interface Query {
  readonly expr: string;
  /** What its lines are called; `{{label}}` is the value of a label. */
  readonly legend: string;
}

export interface PanelOptions {
  readonly title: string;
  readonly description: string;
  /** By Grafana's name, or `suffix: …`. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** In columns, of 24. */
  readonly width?: number;
}

interface Look {
  readonly type: string;
  readonly height: number;
  readonly options: NonNullable<Panel['options']>;
  readonly field?: FieldConfig;
}

/** A panel that has no place yet. */
export interface PanelWithoutPosition {
  readonly width: number;
  readonly height: number;
  readonly panel: Panel;
}

export function createPanel(
  wish: PanelOptions,
  { type, height, options, field }: Look,
): PanelWithoutPosition {
  const { title, description, unit, queries, width = 8 } = wish;
  const panel: Panel = {
    type,
    title,
    description,
    datasource: source,
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: source,
      expr,
      legendFormat: legend,
    })),
    fieldConfig: { defaults: { unit, noValue: '–', ...field }, overrides: [] },
    options,
  };
  return { width, height, panel };
}
