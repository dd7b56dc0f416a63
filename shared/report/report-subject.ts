/** What a report is about, beside its findings. */
export interface ReportSubject {
  /** For example `SENSOR-1 STM32 1.1.0`. */
  readonly title: string;
  /** Version of the program that made the report. */
  readonly toolVersion: string;
  /** When the report was made, ISO 8601. */
  readonly at: string;
}
