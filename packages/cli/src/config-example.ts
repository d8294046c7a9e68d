/** The configuration explained from its own schema: a commented example and a JSON Schema for editors. */
import { config } from '@kalnet/contracts/config'
import { stringify } from 'yaml'

interface Node {
  description?: string
  enum?: string[]
  properties?: Record<string, Node>
}

/** For editors; kept current in docs/schema by a test. */
export const configSchema = (): object => ({
  title: 'kalnet.yaml',
  ...(config.toJSONSchema({ io: 'input', unrepresentable: 'any' }) as object),
})

/** Every key, commented out, with its meaning and its default: what people copy from. */
export function configExample(): string {
  const lines = [
    '# kalnet.yaml: everything is optional; what stands here as a comment is the default.',
    '# Flags stand above the environment (KALNET_LISTEN_PORT=…), the environment above this file.',
    '',
  ]
  describe(configSchema() as Node, config.parse({}), 0, lines)
  return `${lines.join('\n').trimEnd()}\n`
}

function describe(node: Node, defaults: unknown, depth: number, lines: string[]): void {
  const indent = '  '.repeat(depth)
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const value = (defaults as Record<string, unknown> | undefined)?.[name]
    if (child.properties) {
      lines.push(`# ${indent}${name}:`)
      describe(child, value, depth + 1, lines)
      if (depth === 0) lines.push('')
      continue
    }
    const choices = child.enum ? ` One of: ${child.enum.join(', ')}.` : ''
    lines.push(`# ${indent}# ${child.description ?? ''}${choices}`)
    lines.push(`# ${indent}${name}:${value === undefined ? '' : ` ${stringify(value).trim()}`}`)
    if (depth === 0) lines.push('')
  }
}
