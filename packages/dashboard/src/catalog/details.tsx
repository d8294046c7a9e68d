/** What a template is, what it asks, and where it shall run. */
import type { CatalogEntry } from '@kalnet/contracts/catalog'
import type { PlatformName } from '@kalnet/contracts/instance'
import type { TemplateInput } from '@kalnet/contracts/template'
import { BadgeCheck, Play } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { size } from '../format.ts'
import * as m from '../messages/index.ts'
import { useLaunch } from '../sessions/actions.ts'
import { Badge } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { Choice, Switch } from '../ui/choice.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import css from './launch.module.css'
import { PLATFORM_WORDS } from './words.ts'

type Answer = string | boolean
type Answers = Record<string, Answer>

const begin = (inputs: TemplateInput[]): Answers =>
  Object.fromEntries(
    inputs.map((it) => [it.name, it.type === 'boolean' ? it.default === true : String(it.default ?? '')]),
  )
/** What was answered, in the types that the template asks for; what was left empty is not sent. */
const finish = (inputs: TemplateInput[], given: Answers) =>
  Object.fromEntries(
    inputs
      .filter((it) => given[it.name] !== '')
      .map((it) => [it.name, it.type === 'number' ? Number(given[it.name]) : (given[it.name] ?? '')]),
  )

interface QuestionProps {
  input: TemplateInput
  answer: Answer
  tried: boolean
  onAnswer: (answer: Answer) => void
}
function Question({ input, answer, tried, onAnswer }: QuestionProps) {
  if (input.type === 'boolean')
    return <Switch label={input.label} value={answer === true} onChange={onAnswer} />
  if (input.type === 'choice') {
    return (
      <Choice
        label={input.label}
        help={input.help}
        value={String(answer)}
        options={(input.choices ?? []).map((value) => ({ value, label: value }))}
        onChange={onAnswer}
      />
    )
  }
  const missing = tried && input.required && answer === ''
  return (
    <Field
      label={input.label}
      help={input.help}
      type={input.type === 'url' ? 'url' : 'text'}
      inputMode={input.type === 'number' ? 'decimal' : undefined}
      maxLength={input.maxLength}
      value={String(answer)}
      onChange={onAnswer}
      problem={missing ? m.answerMissing : undefined}
    />
  )
}

export default function Details({ entry, onClose }: { entry: CatalogEntry; onClose: () => void }) {
  const launch = useLaunch()
  const [name, setName] = useState('')
  const [platform, setPlatform] = useState<PlatformName | 'auto'>('auto')
  const [given, setGiven] = useState(() => begin(entry.inputs))
  const [tried, setTried] = useState(false)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (entry.inputs.some((it) => it.required && given[it.name] === '')) return
    launch.mutate({
      templateId: entry.id,
      name: name.trim() || undefined,
      platform: platform === 'auto' ? undefined : platform,
      answers: finish(entry.inputs, given),
    })
  }
  const platforms = entry.platforms.filter((it) => it !== 'fake')
  return (
    <Dialog title={entry.name} onClose={onClose} place="side">
      <div className={css.title}>
        <img src={entry.icon} alt="" width="64" height="64" />
        {entry.proved ? (
          <Badge tone="good" icon={<BadgeCheck aria-hidden />}>
            {m.proved}
          </Badge>
        ) : (
          <Badge tone="quiet">{m.notProved}</Badge>
        )}
      </div>
      <p className={css.text}>{entry.description || entry.summary}</p>
      {entry.deprecated && <Badge tone="warn">{entry.deprecated}</Badge>}
      <form className={css.form} onSubmit={submit} noValidate>
        {entry.inputs.map((input) => (
          <Question
            key={input.name}
            input={input}
            answer={given[input.name] ?? ''}
            tried={tried}
            onAnswer={(answer) => setGiven({ ...given, [input.name]: answer })}
          />
        ))}
        <Field
          label={m.sessionName}
          help={m.sessionNameHelp}
          placeholder={entry.name}
          maxLength={60}
          value={name}
          onChange={setName}
        />
        {platforms.length > 1 && (
          <Choice
            label={m.platform}
            value={platform}
            options={[
              { value: 'auto', label: m.platformAuto },
              ...platforms.map((value) => ({ value, label: PLATFORM_WORDS[value] })),
            ]}
            onChange={setPlatform}
          />
        )}
        <Button type="submit" look="primary" wide isPending={launch.isPending} icon={<Play aria-hidden />}>
          {m.start}
        </Button>
      </form>
      <dl className={css.facts}>
        <dt>{m.memoryNeeded}</dt>
        <dd>{size(entry.memoryBytes)}</dd>
        <dt>{m.networkLabel}</dt>
        <dd>{entry.network === 'internet' ? m.networkInternet : m.networkNone}</dd>
        <dt>{m.versionLabel}</dt>
        <dd>{entry.version}</dd>
        <dt>{m.licence}</dt>
        <dd>{entry.licence}</dd>
        {entry.docs && (
          <>
            <dt>{m.documentation}</dt>
            <dd>
              <a href={entry.docs} target="_blank" rel="noreferrer noopener">
                {new URL(entry.docs).host}
              </a>
            </dd>
          </>
        )}
      </dl>
    </Dialog>
  )
}
