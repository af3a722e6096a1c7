version 1.0

workflow lengths {
    input {
        File reference
        String image
        Boolean fail = false
    }
    call index { input: reference = reference, image = image }
    call total { input: index = index.fai, image = image }
    if (fail) {
        call broken { input: image = image }
    }
    output { File result = total.result }
}

task index {
    input {
        File reference
        String image
    }
    command { cp ~{reference} reference.fa && samtools faidx reference.fa }
    output { File fai = "reference.fa.fai" }
    runtime {
        docker: image
        memory: "1 GB"
    }
}

task total {
    input {
        File index
        String image
    }
    command { cut -f 2 ~{index} | python -c 'import sys; print(sum(map(int, sys.stdin)))' > total.txt }
    output { File result = "total.txt" }
    runtime {
        docker: image
        memory: "1 GB"
    }
}

task broken {
    input { String image }
    command { samtools faidx /missing.fa }
    output { String nothing = "" }
    runtime {
        docker: image
        memory: "1 GB"
    }
}
