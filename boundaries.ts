/** The import law as data: which room may use which, what touches the outside where, and how long a file may be. */

/** Package → the packages of ours it may import. */
export const PACKAGES: Record<string, readonly string[]> = {
  contracts: [],
  io: ['contracts'],
  wire: ['contracts', 'io'],
  server: ['contracts', 'io', 'wire'],
  controller: ['contracts', 'io', 'wire'],
  dashboard: ['contracts'],
  cli: ['contracts', 'io', 'wire', 'server', 'controller'],
}

/** The server's capabilities, lowest first: a folder imports only itself and what stands before it. The other direction is an event. */
export const CAPABILITIES = [
  'core',
  'identity',
  'access',
  'audit',
  'people',
  'keys',
  'federation',
  'apps',
  'scim',
  'controllers',
  'catalog',
  'storage',
  'instances',
  'streams',
  'sessions',
  'services',
  // Where services are: memory that follows the outbox, HTTP and DNS; the gateway serves from it.
  'registry',
  'certificates',
  'gateway',
  'deployments',
  'observability',
  'activity',
  'notifications',
  'backups',
  'files',
  'automation',
  'comms',
  'games',
  'plans',
  'plugins',
  'setup',
] as const

/** What touches the outside, and the only files that may: each exception with its reason. */
export const ONLY_IN: readonly { what: string; pattern: RegExp; files: Record<string, string> }[] = [
  {
    what: 'starting processes',
    // Types may be imported anywhere; values only here.
    pattern: /import (?!type\b)[^;]*?from '(?:node:)?child_process'/,
    files: { 'packages/io/src/spawn.ts': 'the only place where processes start' },
  },
  {
    what: 'outbound requests by undici or fetch',
    pattern: /from 'undici'|(?<![.\w'"`-])fetch\(/,
    files: {
      'packages/io/src/outbound.ts': 'the only place where requests leave',
      'packages/dashboard/src/api.ts': "the browser's own fetch, same origin",
      'packages/dashboard/src/after-update.ts':
        'asks its own address which release it serves, without the API',
    },
  },
]

/** SQL stands in a store (or in core, which is the store), so that one test can prepare every statement. */
export const SQL = {
  pattern: /(?<![\w.])sql(?:<[^`]*?>)?`/,
  allowed: (file: string) =>
    /(^|\/)(?:[\w-]+\.)?store\.ts$/.test(file) || file.startsWith('packages/server/src/core/'),
}

export const LINES = { wantsReason: 300, refused: 400 }

export interface SourceFile {
  /** From the root of the tree, with forward slashes. */
  path: string
  text: string
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|(?:^|\n)\s*import\s+'([^']+)'/g

/** Everything a file imports, as written. */
export function importsOf(text: string): string[] {
  return [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** `a/b` + `../c.ts` → `a/c.ts` */
function resolve(from: string, relative: string): string {
  const parts = from.split('/').slice(0, -1)
  for (const part of relative.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return parts.join('/')
}

const isTest = (path: string) => /\.test\.tsx?$/.test(path) || path.includes('/testing/')
const isData = (text: string) => /^\/\*\*[^\n]*\bdata\b/i.test(text.slice(0, 200))

function importProblems(file: SourceFile): string[] {
  const room = /^packages\/([^/]+)\/src\//.exec(file.path)?.[1]
  if (!room) return []
  const problems: string[] = []
  for (const written of importsOf(file.text)) {
    const target = written.startsWith('.')
      ? resolve(file.path, written)
      : written.replace(/^@kalnet\/([^/]+)\//, 'packages/$1/src/')
    const other = /^packages\/([^/]+)\//.exec(target)?.[1]
    if (!other) continue
    if (other !== room) {
      if (!PACKAGES[room]?.includes(other)) problems.push(`${room} may not import ${other} (${written})`)
      else if (written.startsWith('.')) problems.push(`another package is imported by its name (${written})`)
    } else if (room === 'server') problems.push(...capabilityProblems(file.path, target, written))
  }
  return problems
}

function capabilityProblems(from: string, target: string, written: string): string[] {
  const folder = (path: string) => /^packages\/server\/src\/([^/]+)\//.exec(path)?.[1]
  const [mine, other] = [folder(from), folder(target)]
  // server.ts and main.ts, the composition root, may use every capability.
  if (!mine || mine === 'testing') return []
  if (!other) return isTest(from) ? [] : [`${mine} may not import the composition root (${written})`]
  if (mine === other || isTest(from)) return []
  const order = CAPABILITIES as readonly string[]
  if (!order.includes(mine)) return [`${mine} is not in the order of capabilities (boundaries.ts)`]
  if (!order.includes(other)) return [`${other} is not in the order of capabilities (boundaries.ts)`]
  if (order.indexOf(other) > order.indexOf(mine))
    return [`${mine} stands before ${other}: use an event (${written})`]
  if (other !== 'core' && /store\.ts$/.test(target))
    return [`${other} is used through ${other}.ts, never its store (${written})`]
  return []
}

/** Everything in one file that breaks the law, as sentences; empty when it keeps it. */
export function problemsOf(file: SourceFile): string[] {
  const problems = importProblems(file)
  if (!isTest(file.path) && file.path.startsWith('packages/')) {
    for (const law of ONLY_IN)
      if (!(file.path in law.files) && law.pattern.test(file.text))
        problems.push(`${law.what} belongs in ${Object.keys(law.files)[0]}`)
    if (SQL.pattern.test(file.text) && !SQL.allowed(file.path)) problems.push('SQL belongs in a store.ts')
    const lines = file.text.split('\n').length
    if (lines > LINES.refused && !isData(file.text))
      problems.push(`${lines} lines; ${LINES.refused} is the limit`)
  }
  return problems
}
