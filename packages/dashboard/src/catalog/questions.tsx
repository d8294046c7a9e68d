/** The questions of a template, each in the widget that fits it, and the answers in the types it asks for. */
import type { TemplateInput } from '@kalnet/contracts/template'
import * as m from '../messages/index.ts'
import { Choice, Switch } from '../ui/choice.tsx'
import { Field } from '../ui/field.tsx'

type Answer = string | boolean
export type Answers = Record<string, Answer>

export const begin = (inputs: TemplateInput[]): Answers =>
  Object.fromEntries(
    inputs.map((it) => [it.name, it.type === 'boolean' ? it.default === true : String(it.default ?? '')]),
  )
/** What was answered, in the types that the template asks for; what was left empty is not sent. */
export const finish = (inputs: TemplateInput[], given: Answers) =>
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
      type={input.type === 'url' ? 'url' : input.type === 'secret' ? 'password' : 'text'}
      autoComplete={input.type === 'secret' ? 'new-password' : undefined}
      inputMode={input.type === 'number' ? 'decimal' : undefined}
      maxLength={input.maxLength}
      value={String(answer)}
      onChange={onAnswer}
      problem={missing ? m.answerMissing : undefined}
    />
  )
}

interface QuestionsProps {
  inputs: TemplateInput[]
  given: Answers
  tried: boolean
  onChange: (given: Answers) => void
}
export const Questions = ({ inputs, given, tried, onChange }: QuestionsProps) =>
  inputs.map((input) => (
    <Question
      key={input.name}
      input={input}
      answer={given[input.name] ?? ''}
      tried={tried}
      onAnswer={(answer) => onChange({ ...given, [input.name]: answer })}
    />
  ))
/** Needed, and not answered. */
export const missing = (inputs: TemplateInput[], given: Answers) =>
  inputs.some((it) => it.required && given[it.name] === '')
