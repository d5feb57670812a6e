/** Takes the exit code of the command that ran. */
export type Finish = (exitCode: number) => void;

/** What stands at the end of a command's help. */
export function examples(...lines: string[]): string {
  return `\nExample:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
