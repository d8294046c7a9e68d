/** The files of the chart, and the table of its values for the documents; all from the objects and values beside. */
import { stringify } from 'yaml'
import { OBJECTS } from './objects.ts'
import { template } from './template.ts'
import { clusterValues } from './values.ts'

interface Schema {
  description?: string
  properties?: Record<string, Schema>
  default?: unknown
}
const MADE =
  'Made by `node packages/cli/src/render/kubernetes/write-chart.ts`: what is changed by hand is lost.'

const schema = (): Schema => clusterValues.toJSONSchema({ io: 'input', target: 'draft-7' }) as Schema

const defaults = clusterValues.parse({}) as Record<string, unknown>

function valuesFile(node: Schema, values: Record<string, unknown>, depth: number): string[] {
  const indent = '  '.repeat(depth)
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const value = values[key]
    if (child.properties && !child.description)
      return [`${indent}${key}:`, ...valuesFile(child, value as Record<string, unknown>, depth + 1)]
    const text = stringify(
      { [key]: value },
      { lineWidth: 0, flowCollectionPadding: false, collectionStyle: 'flow' },
    )
    const plain = text.trim().replace(/^\{(.*)\}$/s, '$1')
    return [`${indent}# ${child.description}`, `${indent}${plain}`]
  })
}

/** Rows of Markdown: value, default, meaning. */
export function valuesTable(): string {
  const rows = (node: Schema, values: Record<string, unknown>, before: string): string[] =>
    Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
      const value = values[key]
      if (child.properties && !child.description)
        return rows(child, value as Record<string, unknown>, `${before}${key}.`)
      const shown = value === '' ? '' : `\`${JSON.stringify(value).replace(/^"(.*)"$/, '$1')}\``
      return [
        `| \`${before}${key}\` | ${shown} | ${(child.description ?? '').replaceAll('|', '\\|').replaceAll('<', '&lt;')} |`,
      ]
    })
  return ['| value | default | what |', '| --- | --- | --- |', ...rows(schema(), defaults, '')].join('\n')
}

const NOTES = `Kalnet {{ .Chart.AppVersion }} is being started in {{ .Release.Namespace }}.

The link that makes you its owner:
  kubectl -n {{ .Release.Namespace }} exec deploy/{{ .Release.Name }}-control-plane -- kalnet claim
{{- if not .Values.controller.enabled }}

Sessions and services run here once there is a controller: docs/kubernetes-install.md, "The controller".
{{- end }}
`

/** Path below the chart's folder → text. */
export function chartFiles(version: string): Record<string, string> {
  return {
    'Chart.yaml': `# ${MADE}\n${stringify({
      apiVersion: 'v2',
      name: 'kalnet',
      description: 'Remote desktops, home services and the way to them.',
      type: 'application',
      version,
      appVersion: version,
      kubeVersion: '>=1.30.0-0',
      home: 'https://github.com/kalnet/kalnet',
    })}`,
    'values.yaml': `# ${MADE}\n${valuesFile(schema(), defaults, 0).join('\n')}\n`,
    'values.schema.json': `${JSON.stringify(schema(), null, 2)}\n`,
    'templates/NOTES.txt': NOTES,
    ...Object.fromEntries(
      Object.entries(OBJECTS).map(([name, nodes]) => [
        `templates/${name}.yaml`,
        `{{- /* ${MADE} */}}\n${nodes.map(template).join('')}`,
      ]),
    ),
  }
}

/** Puts the table between its marks in the page. */
export const withTable = (page: string): string =>
  page.replace(
    /(<!-- values -->\n)[\s\S]*(<!-- \/values -->)/,
    (_, begin: string, end: string) => `${begin}${valuesTable()}\n${end}`,
  )
