/** A meter's reading, as in the proto. */
export interface Reading {
  /** ISO 8601. */
  timestamp: string;
  /** V */
  voltage: number;
  /** kW */
  load: number;
}

/** What a meter answers with. */
export interface FeederReadings {
  readings: Reading[];
}

/** A time during which the voltage was out of its band. */
export interface Violation {
  from: string;
  to: string;
  /** The one farthest from the band, in V. */
  voltage: number;
}

/** What a check gives. */
export interface FeederReport {
  readings: number;
  lowest_voltage: number;
  highest_voltage: number;
  /** kWh */
  energy: number;
  violations: Violation[];
}
