export { type BasicSecret, parseBasicSecret } from './basic-secret.js';
export { ConfigError, type ConfigErrorCode, type ConfigProblem } from './config-error.js';
export {
  type ApiConfig,
  type ClientConfig,
  loadApiConfig,
  loadClientConfig,
  loadSecretsConfig,
  loadServerConfig,
  loadWorkerConfig,
  type QueueConfig,
  type SecretsConfig,
  type ServerConfig,
  type WorkerConfig,
} from './configs.js';
export { describeVariables, type VariableDescription, type VariableReader } from './describe-variables.js';
export { type EnvironmentProxies, environmentProxies, type EnvironmentProxy } from './environment-proxies.js';
export { helperEnvironment } from './helper-environment.js';
export { inheritedEnvironment } from './inherited-environment.js';
export { localNotificationSecret } from './local-notification-secret.js';
export { environmentAndFolderSecrets, maxSecretBytes, type SecretSource, secretVariable } from './secrets.js';
export type { Environment } from './variable.js';
export { type LogLevel, logLevels } from './variables.js';
