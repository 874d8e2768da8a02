// Derived from src/operations/, one line an operation; `aieffect add operation` rewrites it.
export { forecastLoad } from "../operations/forecast-load.ts";
