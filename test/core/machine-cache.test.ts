import { describe, expect, it } from "vitest"
import { machineCacheFolder } from "../../src/core/machine-cache.ts"

describe("where the cache of the machine lies", () => {
  it("follows the platform's convention", () => {
    expect(machineCacheFolder({ HOME: "/home/jo" }, "linux")).toBe("/home/jo/.cache/tuneloop")
    expect(machineCacheFolder({ HOME: "/Users/jo" }, "darwin")).toBe("/Users/jo/Library/Caches/tuneloop")
    expect(machineCacheFolder({ USERPROFILE: "jo" }, "win32")).toBe("jo/tuneloop")
    expect(machineCacheFolder({ USERPROFILE: "jo", LOCALAPPDATA: "local" }, "win32")).toBe("local/tuneloop")
  })

  it("is the folder that the user names, before all else", () => {
    const everywhere = { HOME: "/home/jo", XDG_CACHE_HOME: "/caches", LOCALAPPDATA: "local" }
    expect(machineCacheFolder({ ...everywhere, TUNELOOP_CACHE: "/big" }, "linux")).toBe("/big")
    expect(machineCacheFolder(everywhere, "linux")).toBe("/caches/tuneloop")
  })

  it("is not in the current folder where nothing says where it is", () => {
    expect(machineCacheFolder({ HOME: "" }, "linux")).toBeUndefined()
  })
})
