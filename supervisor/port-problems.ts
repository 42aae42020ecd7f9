import { type AddressInfo, createServer } from 'node:net';

export interface WantedPort {
  /** Its variable. */
  readonly name: string;
  readonly port: number;
  readonly host: string;
  /** This process listens there already. */
  readonly isOurs?: boolean;
}

/** What is wrong with the ports: one that two parts want, or one that cannot be had. */
export async function portProblems(wanted: readonly WantedPort[]): Promise<string[]> {
  const problems: string[] = [];
  for (const [index, one] of wanted.entries()) {
    const others = wanted.filter((other) => other !== one && other.port === one.port && one.port !== 0);
    const first = others.find((other) => wanted.indexOf(other) < index);
    if (first) problems.push(`${one.name} and ${first.name} are both ${one.port}: give each its own`);
    // One of ours may hold the port that another one wants: who is in the way is told above.
    else if (!one.isOurs && others.length === 0) problems.push(...(await listenProblem(one)));
  }
  return problems;
}

/** A port that the system has free; 0 where it has none on that host. */
export function freePort(host: string): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(0));
    server.listen(0, host, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Whether a port can be had is only known by taking it. */
function listenProblem({ name, port, host }: WantedPort): Promise<string[]> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve([`${name}: ${whyNot(error, port, host)}`]),
    );
    server.listen(port, host, () => server.close(() => resolve([])));
  });
}

function whyNot({ code, message }: NodeJS.ErrnoException, port: number, host: string): string {
  if (code === 'EADDRINUSE')
    return `port ${port} is in use on ${host}: stop what listens there or set another`;
  if (code === 'EACCES') return `port ${port} needs more rights than this process has: set one above 1023`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `HOST ${host} is no address of this machine`;
  return `cannot listen on ${host}:${port} (${message})`;
}
