/**
 * What no package has the schemas of: of KEDA's HTTP add-on and the Gateway API Inference Extension, as far as the chart
 * speaks to them, written after their definitions (http-add-on 0.16, InferencePool v1).
 */
export const ownSchemas: Readonly<Record<string, object>> = {
  'http.keda.sh/v1beta1 InterceptorRoute': strict(['target', 'rules', 'scalingMetric', 'timeouts'], {
    target: strict(['service', 'port'], { service: text(), port: port() }),
    rules: listOf(strict(['hosts'], { hosts: listOf(text()) })),
    scalingMetric: strict(['concurrency'], {
      concurrency: strict(['targetValue'], { targetValue: count() }),
    }),
    timeouts: strict(['readiness'], { readiness: span(), request: span(), responseHeader: span() }),
  }),
  'http.keda.sh/v1alpha1 HTTPScaledObject': strict(['hosts', 'scaleTargetRef', 'replicas'], {
    hosts: listOf(text()),
    scaleTargetRef: strict(['apiVersion', 'kind', 'name', 'service', 'port'], {
      apiVersion: { const: 'apps/v1' },
      kind: { const: 'Deployment' },
      name: text(),
      service: text(),
      port: port(),
    }),
    replicas: strict(['min', 'max'], { min: { const: 0 }, max: count() }),
    scaledownPeriod: { type: 'integer', minimum: 0 },
    scalingMetric: strict(['concurrency'], {
      concurrency: strict(['targetValue'], { targetValue: count() }),
    }),
    timeouts: strict([], { conditionWait: span(), responseHeader: span() }),
  }),
  'inference.networking.k8s.io/v1 InferencePool': strict(['selector', 'targetPorts', 'endpointPickerRef'], {
    selector: strict(['matchLabels'], {
      matchLabels: { type: 'object', minProperties: 1, additionalProperties: text() },
    }),
    targetPorts: { ...listOf(strict(['number'], { number: port() })), maxItems: 8 },
    endpointPickerRef: strict(['name', 'port'], {
      name: text(),
      port: strict(['number'], { number: port() }),
      failureMode: { enum: ['FailOpen', 'FailClose'] },
    }),
  }),
};

function strict(required: readonly string[], properties: Readonly<Record<string, object>>) {
  return { type: 'object', additionalProperties: false, required, properties };
}

function listOf(items: object) {
  return { type: 'array', minItems: 1, items };
}

function text() {
  return { type: 'string', minLength: 1 };
}

function port() {
  return { type: 'integer', minimum: 1, maximum: 65535 };
}

function count() {
  return { type: 'integer', minimum: 1 };
}

function span() {
  return { type: 'string', pattern: '^[0-9]+s$' };
}
