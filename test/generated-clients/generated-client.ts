/** A client that openapi-generator makes, and a program that has one chat with it. */
export interface GeneratedClient {
  readonly generator: string;
  readonly options: readonly string[];
  /** Files that are written beside the client. */
  readonly files: Readonly<Record<string, string>>;
  /** Compile and run the program, in the folder of the client. `BASE_URL` and `API_KEY` are set. */
  readonly commands: readonly (readonly [program: string, ...args: string[]])[];
}

const hello = 'Hello!';

const typescriptProgram = `import { Configuration, OpenAIApi } from './index';
declare const process: { env: Record<string, string> };
const { BASE_URL: basePath, API_KEY: accessToken } = process.env;
const api = new OpenAIApi(new Configuration({ basePath, accessToken, fetchApi: fetch }));
const chatRequest = { messages: [{ role: 'user', content: '${hello}' }] };
api.createChatCompletion({ chatRequest }).then(({ choices, usage }) => {
  console.log(choices[0].message.content, usage.completionTokens);
});
`;

const typescriptConfiguration = {
  compilerOptions: {
    ...{ target: 'es2022', module: 'commonjs', ignoreDeprecations: '6.0', lib: ['es2022', 'dom'] },
    ...{ strict: true, skipLibCheck: true, types: [], outDir: 'compiled' },
  },
  include: ['index.ts', 'chat.ts'],
};

const pythonProgram = `import os
from openapi_client import ApiClient, Configuration
from openapi_client.api.open_ai_api import OpenAIApi
from openapi_client.models import ChatMessage, ChatRequest

configuration = Configuration(host=os.environ["BASE_URL"])
configuration.access_token = os.environ["API_KEY"]
request = ChatRequest(messages=[ChatMessage(role="user", content="${hello}")])
completion = OpenAIApi(ApiClient(configuration)).create_chat_completion(request)
print(completion.choices[0].message.content, completion.usage.completion_tokens)
`;

/** `tsc` is the path of the compiler. */
export function generatedClients(tsc: string): readonly GeneratedClient[] {
  return [
    {
      generator: 'typescript-fetch',
      options: ['-p', 'typescriptThreePlus=true'],
      files: {
        'chat.ts': typescriptProgram,
        'tsconfig.json': JSON.stringify(typescriptConfiguration),
        'package.json': '{ "type": "commonjs" }',
      },
      commands: [
        [process.execPath, tsc, '-p', '.'],
        [process.execPath, 'compiled/chat.js'],
      ],
    },
    {
      generator: 'python',
      options: [],
      files: { 'chat.py': pythonProgram },
      commands: [
        ['python3', '-m', 'compileall', '-q', 'openapi_client'],
        ['python3', 'chat.py'],
      ],
    },
  ];
}
