import { registerHooks } from 'node:module';

/** Preloaded into a process that must do without OpenTelemetry, but for its bare interface, which prom-client loads. */
registerHooks({
  resolve(specifier, context, next) {
    if (/^@opentelemetry\/(?!api$)/.test(specifier)) throw new Error(`${specifier} is loaded`);
    return next(specifier, context);
  },
});
