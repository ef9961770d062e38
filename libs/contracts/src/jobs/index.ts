export { RunPromotion, runPromotionName } from './run-promotion.js';
