/** What `kalnet templates new` writes: a template, its recipe and its icon, commented and valid at once. */
import { createHash } from 'node:crypto'
import { recipeFileFormat } from '@kalnet/contracts/recipe'
import { category, sessionTemplate } from '@kalnet/contracts/template'
import { textProblems } from '@kalnet/server/catalog/lint'
import { parseYaml, sayProblems } from '@kalnet/server/catalog/yaml'

export interface Wishes {
  id: string
  name?: string
  summary?: string
  category?: string
  /** Debian packages; none: a terminal, so that it can be started before it is finished. */
  packages?: string[]
  /** The program with its words; none: the first package's name. */
  command?: string[]
}
export interface Skeleton {
  template: string
  recipe: string
  icon: string
}

/** Nobody has seen the file yet: its lines would say nothing. */
const NOWHERE = () => ''
const TERMINAL = ['xterm', '-name', 'XTerm']
/** JSON is YAML: whatever a person typed stays one value. */
const quote = (text: string) => JSON.stringify(text)
const titled = (id: string) =>
  id
    .split('-')
    .filter(Boolean)
    .map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`)
    .join(' ')

const templateText = (
  it: Required<Wishes>,
) => `# ${it.name}: what people see and what is started. Check it: kalnet templates lint ${it.id}
# Its whole format: docs/schema/template.schema.json
id: ${quote(it.id)}
# Raise it with every change; the proof of its first frame belongs to a version.
version: 0.1.0
name: ${quote(it.name)}
# One sentence that anybody understands, at most 120 letters.
summary: ${quote(it.summary)}
# ${category.options.join(', ')}
category: ${it.category}
# Words people may search for: three or more, in lower case.
keywords: [${[it.id, it.category, 'program'].map(quote).join(', ')}]
# Licence of the software inside (an SPDX identifier).
licence: NOASSERTION
kind: session
image: { recipe: ${quote(it.id)} }
# The program and its words, as they are: no shell reads them. The first word starts the screen.
command: [/usr/lib/kalnet/session, ${it.command.map(quote).join(', ')}]
# What is asked at launch; an answer reaches the program as an environment variable.
# inputs:
#   - name: start-page
#     label: Start page
#     type: url # text, number, boolean, choice, url
#     environment: START_PAGE
# internet, or none for a program that needs no network
network: internet
# What it needs with a document open, not what it needs to start.
resources: { cpus: 1, memoryBytes: 1073741824, processes: 256, sharedMemoryBytes: 134217728 }
`

const recipeText = (
  it: Required<Wishes>,
  below: string,
) => `# ${it.name}: the root file system it runs from. Build it: kalnet images build ${it.id}
# Its whole format: docs/schema/recipe.schema.json
name: ${quote(it.id)}
# display: a bare screen. terminal: a shell on it. gtk: icons, fonts and a session bus for windowed programs as well.
extends: ${below}
# Debian packages (bookworm).
packages: [${it.packages.map(quote).join(', ')}]
# Files put in, to switch first-run questions off and to set what people expect:
# files:
#   - path: /etc/skel/.config/program.conf
#     content: |
#       first-run = no
# Globs deleted after installing, to keep the image small:
# remove:
#   - /usr/share/doc/program/examples
# Run inside the finished root, each an array of words:
run:
  - [fc-cache, -f]
`

/** A window in a colour of its own; to be replaced by a drawing of what the program is. */
function iconText(it: Required<Wishes>): string {
  const hue = createHash('sha256').update(it.id).digest().readUInt16LE(0) % 360
  const title = it.name.replace(/[&<>]/g, '')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="64" height="64">
  <title>${title}</title>
  <rect width="64" height="64" rx="14" fill="hsl(${hue} 38% 36%)"/>
  <rect x="12" y="16" width="40" height="32" rx="5" fill="#f2f5f4"/>
  <path d="M12 21a5 5 0 0 1 5-5h30a5 5 0 0 1 5 5v4H12z" fill="hsl(${hue} 45% 68%)"/>
  <circle cx="18" cy="20.5" r="1.8" fill="#ffffff"/>
</svg>
`
}

/** The three files, or what is wrong with what was wished, in words. */
export function makeSkeleton(wishes: Wishes): Skeleton | { problems: string[] } {
  const packages = wishes.packages ?? []
  const name = wishes.name ?? titled(wishes.id)
  const it: Required<Wishes> = {
    id: wishes.id,
    name,
    summary: wishes.summary ?? `${name[0]?.toUpperCase() ?? ''}${name.slice(1)} in a session of its own.`,
    category: wishes.category ?? 'tools',
    packages,
    command: wishes.command ?? (packages.length > 0 ? packages.slice(0, 1) : TERMINAL),
  }
  const made: Skeleton = {
    template: templateText(it),
    recipe: recipeText(it, packages.length > 0 ? 'gtk' : 'terminal'),
    icon: iconText(it),
  }
  const problems = [...templateProblems(made.template), ...recipeProblems(made.recipe)]
  return problems.length > 0 ? { problems } : made
}

function templateProblems(text: string): string[] {
  const parsed = parseYaml(text)
  if ('problem' in parsed) return [parsed.problem]
  const checked = sessionTemplate.safeParse(parsed.data)
  return checked.success ? textProblems(checked.data) : [sayProblems(checked.error, NOWHERE)]
}

function recipeProblems(text: string): string[] {
  const parsed = parseYaml(text)
  if ('problem' in parsed) return [parsed.problem]
  const checked = recipeFileFormat.safeParse(parsed.data)
  return checked.success ? [] : [sayProblems(checked.error, NOWHERE)]
}
