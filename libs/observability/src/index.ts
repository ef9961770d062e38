export {
  createLogger,
  type LogDestination,
  type LogFields,
  type Logger,
  type LoggerOptions,
  type LogMethod,
  type Severity,
  silentLogger,
} from './logger.js';
export { type CounterMetric, type GaugeMetric, type HistogramMetric, type Labels, type MetricDescription, Metrics } from './metrics.js';
export { nestLogger, type NestLogger } from './nest-logger.js';
export { redacted, redactText } from './redact.js';
