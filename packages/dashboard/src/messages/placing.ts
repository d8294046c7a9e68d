/** Why something runs where it runs, to who looks after the machines. */
export const whyThere = (name: string) => `Why on ${name}`
export const whyImage = 'what it needs lies there already'
export const whyMemory = 'it has the most memory free'
export const whyCpu = 'its processors have the least to do'
export const whyMemoryPacked = 'it is the fullest that has room'
export const whyCpuPacked = 'its processors have the most to do and still have room'
export const whyPerson = 'something of theirs is there'
export const whyAlone = 'No other machine could take it.'
export const whyBecause = (reasons: string) => `Of the machines that could take it: ${reasons}.`
export const whySum = 'Taken together it fitted best.'
export const whyOther = (name: string) => `${name} could have taken it, too.`
export const whyMore = (count: number) =>
  count === 1 ? 'And one more machine.' : `And ${count} more machines.`
