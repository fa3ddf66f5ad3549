declare module "minhash" {
  export class Minhash {
    constructor(options?: { numPerm?: number; seed?: number })
    update(value: string): void
    jaccard(other: Minhash | undefined): number
  }
  const package_: { Minhash: typeof Minhash }
  export default package_
}
