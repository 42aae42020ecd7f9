import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DockerfileParser,
  type Instruction,
  type JSONInstruction,
  type Label,
  ModifiableInstruction,
} from 'dockerfile-ast';
import { projectFolder } from '../../scripts/project-folders.ts';

export interface Step {
  readonly keyword: string;
  /** The arguments without flags. */
  readonly text: string;
  readonly flags: readonly string[];
}

export interface Stage {
  readonly name: string;
  readonly base: string;
  readonly steps: readonly Step[];
}

export interface Dockerfile {
  readonly text: string;
  /** ARGs before the first FROM; an empty default is ''. */
  readonly bases: Readonly<Record<string, string>>;
  readonly stages: readonly Stage[];
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly healthCheck: string;
  /** The text of the last instruction with this keyword. */
  last(keyword: string): string | undefined;
}

export const dockerfiles = ['Dockerfile.cpu', 'Dockerfile.cuda'] as const;

export function readDockerfile(name: string): Dockerfile {
  const text = readFileSync(join(projectFolder, name), 'utf8');
  const parsed = DockerfileParser.parse(text);
  const bases = parsed.getInitialARGs().map((arg) => arg.getArgumentsContent()?.split('=') ?? []);
  const instructions = parsed.getInstructions();
  const stages = stagesOf(instructions);
  const image = stages.at(-1)?.steps ?? [];
  const jsonOf = (list: JSONInstruction[]) =>
    list
      .at(-1)
      ?.getJSONStrings()
      .map((part) => part.getJSONValue()) ?? [];
  return {
    text,
    bases: Object.fromEntries(bases.map(([key = '', value = '']) => [key, value])),
    stages,
    env: pairsOf(parsed.getENVs()),
    labels: pairsOf(instructions.filter((one) => one.getKeyword() === 'LABEL') as Label[]),
    entrypoint: jsonOf(parsed.getENTRYPOINTs()),
    command: jsonOf(parsed.getCMDs()),
    healthCheck: parsed.getHEALTHCHECKs().at(-1)?.getArgumentsContent() ?? '',
    last: (keyword) => image.findLast((step) => step.keyword === keyword)?.text,
  };
}

function stagesOf(instructions: readonly Instruction[]): Stage[] {
  const stages: { name: string; base: string; steps: Step[] }[] = [];
  for (const instruction of instructions) {
    const step = stepOf(instruction);
    const [base = '', , name = ''] = step.text.split(/\s+/);
    if (step.keyword === 'FROM') stages.push({ name, base, steps: [] });
    else stages.at(-1)?.steps.push(step);
  }
  return stages;
}

function stepOf(instruction: Instruction): Step {
  const flags = instruction instanceof ModifiableInstruction ? instruction.getFlags().map(String) : [];
  return { keyword: instruction.getKeyword(), text: instruction.getRawArgumentsContent() ?? '', flags };
}

type Pairs = Pick<Label, 'getProperties'>;

function pairsOf(instructions: readonly Pairs[]): Record<string, string> {
  const properties = instructions.flatMap((instruction) => instruction.getProperties());
  return Object.fromEntries(properties.map((property) => [property.getName(), property.getValue() ?? '']));
}
