import {
  BarGaugeDisplayMode,
  BarGaugeNamePlacement,
  BarGaugeSizing,
  BarGaugeValueMode,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  type DataSourceRef,
  FieldColorModeId,
  type FieldConfig,
  type GraphFieldConfig,
  LegendDisplayMode,
  type Panel,
  PercentChangeColorMode,
  type RowPanel,
  type SingleStatBaseOptions,
  SortOrder,
  StackingMode,
  ThresholdsMode,
  TooltipDisplayMode,
  VisibilityMode,
  type VizLegendOptions,
  VizOrientation,
  type VizTooltipOptions,
} from '@grafana/schema';
import type { Options as BarGaugeOptions } from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type {
  FieldConfig as BandConfig,
  Options as TimelineOptions,
} from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type { Options as LinesOptions } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

const legend: VizLegendOptions = {
  calcs: ['lastNotNull', 'max'],
  displayMode: LegendDisplayMode.Table,
  placement: 'bottom',
  showLegend: true,
};
const plainLegend: VizLegendOptions = { ...legend, calcs: [], displayMode: LegendDisplayMode.List };
const tooltip: VizTooltipOptions = { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending };
const lastValue: SingleStatBaseOptions = {
  orientation: VizOrientation.Auto,
  reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
};

/** Lines over time. */
export function lines(settings: PanelOptions): PanelWithoutPosition {
  const custom: GraphFieldConfig = { lineWidth: 1, fillOpacity: 8, axisSoftMin: 0 };
  const options: Partial<LinesOptions> = { legend, tooltip };
  return createPanel(settings, { type: 'timeseries', height: 8, options, field: { custom: { ...custom } } });
}

/** Stacked lines over time, whose sum matters. */
export function stack(settings: PanelOptions): PanelWithoutPosition {
  const stacking = { mode: StackingMode.Normal };
  const custom: GraphFieldConfig = { lineWidth: 1, fillOpacity: 40, axisSoftMin: 0, stacking };
  const options: Partial<LinesOptions> = { legend, tooltip };
  return createPanel(settings, { type: 'timeseries', height: 8, options, field: { custom: { ...custom } } });
}

/** A current value with a sparkline. */
export function currentValue(settings: PanelOptions): PanelWithoutPosition {
  return createPanel({ width: 4, ...settings }, { type: 'stat', height: 4, options: { ...nowOptions } });
}

const nowOptions: StatOptions = {
  ...lastValue,
  colorMode: BigValueColorMode.None,
  graphMode: BigValueGraphMode.Area,
  justifyMode: BigValueJustifyMode.Auto,
  percentChangeColorMode: PercentChangeColorMode.Standard,
  showPercentChange: false,
  textMode: BigValueTextMode.Value,
  wideLayout: true,
};

/** The current state, as its name in the legend. */
export function statusText(settings: PanelOptions): PanelWithoutPosition {
  const options: StatOptions = {
    ...nowOptions,
    graphMode: BigValueGraphMode.None,
    textMode: BigValueTextMode.Name,
  };
  return createPanel({ width: 4, ...settings }, { type: 'stat', height: 4, options: { ...options } });
}

/** One bar per series, with its current value. */
export function bars(settings: PanelOptions): PanelWithoutPosition {
  const options: BarGaugeOptions = {
    ...lastValue,
    orientation: VizOrientation.Horizontal,
    displayMode: BarGaugeDisplayMode.Basic,
    valueMode: BarGaugeValueMode.Color,
    namePlacement: BarGaugeNamePlacement.Auto,
    sizing: BarGaugeSizing.Auto,
    showUnfilled: true,
    minVizWidth: 8,
    minVizHeight: 16,
    maxVizHeight: 300,
    legend: { ...plainLegend, showLegend: false },
  };
  return createPanel(settings, { type: 'bargauge', height: 8, options: { ...options } });
}

/** State over time: one band per series while it exists. */
export function bands(settings: PanelOptions): PanelWithoutPosition {
  const custom: BandConfig = { lineWidth: 0, fillOpacity: 70 };
  const options: TimelineOptions = {
    legend: { ...plainLegend, showLegend: false },
    tooltip,
    showValue: VisibilityMode.Never,
    mergeValues: true,
    rowHeight: 0.9,
  };
  const field: FieldConfig = {
    custom: { ...custom },
    color: { mode: FieldColorModeId.Thresholds },
    thresholds: { mode: ThresholdsMode.Absolute, steps: [{ value: null, color: 'blue' }] },
  };
  return createPanel(settings, { type: 'state-timeline', height: 8, options: { ...options }, field });
}

/** The data source that the viewer has selected. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of Grafana's.
export const source: DataSourceRef = { type: 'prometheus', uid: '${datasource}' };

interface Query {
  readonly expr: string;
  /** The legend of its lines; `{{label}}` is the value of a label. */
  readonly legend: string;
}

interface PanelOptions {
  readonly title: string;
  readonly description: string;
  /** A unit of Grafana, or `suffix: …`. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Width in columns of 24. */
  readonly width?: number;
}

interface PanelStyle {
  readonly type: string;
  readonly height: number;
  readonly options: NonNullable<Panel['options']>;
  readonly field?: FieldConfig;
}

/** A panel without its position. */
interface PanelWithoutPosition {
  readonly width: number;
  readonly height: number;
  readonly panel: Panel;
}

function createPanel(
  settings: PanelOptions,
  { type, height, options, field }: PanelStyle,
): PanelWithoutPosition {
  const { title, description, unit, queries, width = 8 } = settings;
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

const COLUMNS = 24;

export interface Row {
  readonly title: string;
  readonly panels: readonly PanelWithoutPosition[];
}

/** Sets all positions: the heading of each row, then its panels from left to right, as many as fit in a line. */
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
