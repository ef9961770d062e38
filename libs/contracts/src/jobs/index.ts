export { CheckRegistry, checkRegistryName } from './check-registry.js';
export { RunPromotion, runPromotionName } from './run-promotion.js';
